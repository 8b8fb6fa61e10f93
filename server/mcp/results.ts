import type { Conflict, Item } from '@switchyard/shared/item';
import type { WireError } from '@switchyard/shared/errors';
import { tools } from '@switchyard/shared/mcp';
import { filesIn, otherOf, type Notice } from './notices.ts';

type Json = Record<string, unknown>;

/** What a tool answers: the same for programs and for models. */
export interface ToolAnswer {
  structured: Json;
  text: string;
}

const filesShownMax = 50;
const briefFields = [
  'number',
  'id',
  'title',
  'task_type',
  'priority',
  'status',
  'attempt',
  'progress',
  'files_planned',
] as const satisfies (keyof Item)[];

const isEmpty = (value: unknown) =>
  value === null ||
  value === '' ||
  value === false ||
  (typeof value === 'object' && Object.keys(value ?? {}).length === 0);

/** Without what is empty: a model reads, and pays for, every field. */
const filled = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && !isEmpty(value)));

export function briefOf(item: Item): Json {
  const fields = Object.fromEntries(briefFields.map((field) => [field, item[field]]));
  const brief = filled({ ...fields, attempt: item.attempt || null });
  return {
    ...brief,
    ...(item.files_planned.length > filesShownMax && { files_planned: fewOf(item.files_planned) }),
  };
}

/** All that is of use to whoever works on it. */
export function wholeOf(item: Item): Json {
  const { project_id: _p, session_id: _s, version: _v, created_at: _c, updated_at: _u, ...rest } = item;
  const { attempt, failure_count, lost_count, files_planned, files_modified } = rest;
  return filled({
    ...rest,
    attempt: attempt || null,
    failure_count: failure_count || null,
    lost_count: lost_count || null,
    files_planned: fewOf(files_planned),
    files_modified: fewOf(files_modified),
  });
}

const fewOf = (files: string[]) =>
  files.length <= filesShownMax
    ? files
    : [...files.slice(0, filesShownMax), `(${files.length - filesShownMax} more)`];

export const nameOf = ({ number, title }: Pick<Item, 'number' | 'title'>) => `#${number} ${title}`;

/** One line for a list. */
export function lineOf(item: Item): string {
  const about = [`priority ${item.priority}`, ...(item.task_type ? [item.task_type] : [])].join(', ');
  const files = item.files_planned.length > 0 ? `; files: ${fewOf(item.files_planned).join(', ')}` : '';
  return `${nameOf(item)} (${about}${files})`;
}

/** All that somebody needs who is to do it. */
export function textOf(item: Item): string {
  const facts: [string, string | number | null][] = [
    ['type', item.task_type],
    ['priority', item.priority],
    ['held by', item.status === 'claimed' ? item.assigned_agent_id : null],
    ['progress', item.progress === null ? null : `${item.progress} %`],
    ['note', item.progress_note],
    ['planned files', fewOf(item.files_planned).join(', ')],
    ['changed files', fewOf(item.files_modified).join(', ')],
    ['result', item.result_summary],
    ['last failure', item.failure_reason],
    ['metadata', Object.keys(item.metadata).length > 0 ? JSON.stringify(item.metadata) : null],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [`${name}: ${value}`],
  );
  return [
    `${nameOf(item)} [${item.status}]`,
    ...lines,
    ...(item.description ? ['', item.description] : []),
  ].join('\n');
}

export function conflictsText(conflicts: readonly Conflict[], none: string): string {
  if (conflicts.length === 0) return none;
  const lines = conflicts.map((conflict) => {
    const how = conflict.kind === 'modified' ? 'changed' : 'planned';
    return `- ${filesIn(conflict).files}: ${how} by ${otherOf(conflict)}`;
  });
  return ['Conflicts, files that others work on too:', ...lines].join('\n');
}

/** The result of a tool call as MCP has it; what happened meanwhile comes along. */
export function toolResult(answer: ToolAnswer, notices: readonly Notice[], isError = false) {
  const told = notices.map(({ message }) => `Notice: ${message}`);
  return {
    content: [{ type: 'text' as const, text: [...told, answer.text].join('\n') }],
    structuredContent: { ...answer.structured, ...(notices.length > 0 && { notices: notices.map(wireOf) }) },
    ...(isError && { isError }),
  };
}

const wireOf = ({ project_id: _, ...notice }: Notice) => notice;

/** A refusal, for a model to read: code and what to do, by the names it knows, then what the message does not say. */
export function refusalAnswer(error: WireError): ToolAnswer {
  const details = Object.keys(error.details).length > 0 ? `\n${JSON.stringify(error.details)}` : '';
  const message = error.message.replace(/\b(item|project)\.[a-z_]+/g, (name) => toolOf[name] ?? name);
  return { structured: { error }, text: `${error.code}: ${message}${details}` };
}

const toolOf: Record<string, string> = {
  'item.claim': 'claim_item',
  ...Object.fromEntries(Object.entries(tools).map(([name, { command }]) => [command ?? name, name] as const)),
};
