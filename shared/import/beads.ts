import { planOf, type Draft } from './draft.ts';
import { idOf, isFields, listOf, shown, textOf, textsOf, type Fields } from './fields.ts';
import { jsonOrNothing, nestingMax, nestsDeeper } from './json.ts';
import { priorityDefault, priorityLast, type Plan, type Warning } from './plan.ts';
import { slugOf, withSections } from './text.ts';

/** 0 is the most urgent of five in Beads, and 2 its default; the order stays, and so does the default. */
const priorities = [0, 2, priorityDefault, 7, priorityLast];

/** Issues with which Beads keeps book of its own agents and messages: nothing that anyone could do. */
const bookkeeping = new Set(['agent', 'role', 'rig', 'message', 'event', 'slot', 'queue']);

/** Links after which an issue waits for the other. `parent-child` is the parent; all others are kept as metadata. */
const waiting = new Set(['blocks', 'waits-for']);

/**
 * Reads the issues of Beads: JSONL as in `.beads/issues.jsonl`, or the JSON array of `bd list --json`. What
 * becomes of each field is in docs/import.md. Never throws: what cannot be read is a warning.
 */
export function parseBeads(content: string | readonly unknown[]): Plan {
  const warnings: Warning[] = [];
  const issues = readIssues(content, warnings);
  const known = new Map(issues.map((issue) => [idOf(issue.id), statusOf(issue)]));
  const drafts = issues.map((issue) => draftOf(issue, known, warnings));
  return planOf('beads', drafts, warnings);
}

/** Every issue of the file, and what becomes of it. */
type Known = ReadonlyMap<string, Draft['status']>;

function readIssues(content: string | readonly unknown[], warnings: Warning[]): Fields[] {
  const lines = typeof content === 'string' ? content.split('\n') : null;
  const entries = lines?.map((line) => (line.trim() === '' ? blank : jsonOrNothing(line))) ?? content;
  const issues: Fields[] = [];
  [...entries].forEach((issue, n) => {
    if (issue === blank) return;
    const problem = problemOf(issue);
    if (problem === null) issues.push(issue as Fields);
    else warnings.push({ kind: 'unreadable', key: `${lines ? 'line' : 'entry'} ${n + 1}`, message: problem });
  });
  return issues;
}

const blank = Symbol('blank');

function problemOf(issue: unknown): string | null {
  if (issue === undefined) return 'no JSON';
  if (nestsDeeper(issue)) return `nested deeper than ${nestingMax} levels`;
  return isFields(issue) && idOf(issue.id) !== '' ? null : 'no issue';
}

function draftOf(issue: Fields, known: Known, warnings: Warning[]): Draft {
  const key = idOf(issue.id);
  const status = statusOf(issue);
  warnings.push(...statusWarnings(issue, status));
  const type = textOf(issue.issue_type);
  return {
    key,
    title: textOf(issue.title),
    description: withSections(textOf(issue.description), {
      Design: textOf(issue.design),
      'Acceptance criteria': textOf(issue.acceptance_criteria),
      Notes: textOf(issue.notes),
      Comments: listOf(issue.comments).filter(isFields).map(commentLine).join('\n\n'),
    }),
    task_type: slugOf(type),
    priority: priorityOf(issue, warnings) ?? priorityDefault,
    ...linksOf(issue, known, warnings),
    status,
    estimated_hours: typeof issue.estimated_minutes === 'number' ? issue.estimated_minutes / 60 : null,
    result_summary: textOf(issue.close_reason) || null,
    metadata: {
      status: textOf(issue.status),
      labels: textsOf(issue.labels),
      assignee: textOf(issue.assignee),
      owner: textOf(issue.owner),
      created_by: textOf(issue.created_by),
      created_at: textOf(issue.created_at),
      closed_at: textOf(issue.closed_at),
      external_ref: textOf(issue.external_ref),
      links: otherLinks(issue, known, warnings),
    },
  };
}

function statusOf(issue: Fields): Draft['status'] {
  const status = textOf(issue.status);
  if (status === 'closed') return 'done';
  if (status === 'tombstone' || status === 'pinned' || bookkeeping.has(textOf(issue.issue_type)))
    return 'cancelled';
  return 'todo';
}

function statusWarnings(issue: Fields, status: Draft['status']): Warning[] {
  const given = textOf(issue.status);
  const warning = (message: string): Warning[] => [{ kind: 'status', key: idOf(issue.id), message }];
  if (status === 'done' || given === 'tombstone') return [];
  if (status === 'cancelled') {
    const what = given === 'pinned' ? 'pinned' : `of type ${textOf(issue.issue_type)}`;
    return warning(`${what}: a note, not work; cancelled here`);
  }
  if (given === 'deferred') return warning('deferred: todo here, with the last priority');
  if (given === 'in_progress' || given === 'hooked')
    return warning(`${given}: nobody here holds it; todo here`);
  if (given === 'open' || given === 'blocked') return [];
  return warning(`"${given}" is unknown: todo here`);
}

function priorityOf(issue: Fields, warnings: Warning[]): number | undefined {
  if (issue.status === 'deferred') return priorityLast;
  const priority = priorities[issue.priority as number];
  if (priority === undefined && issue.priority !== undefined) {
    warnings.push({
      kind: 'value',
      key: idOf(issue.id),
      message: `a priority of ${shown(issue.priority)}`,
    });
  }
  return priority;
}

function linksOf(issue: Fields, known: Known, warnings: Warning[]) {
  const warn = (message: string) => warnings.push({ kind: 'link', key: idOf(issue.id), message });
  const links = readLinks(issue);

  const parents = [...new Set(links.filter(({ type }) => type === 'parent-child').map(({ id }) => id))];
  const parentKey = idOf(issue.parent) || parents.find((id) => known.has(id)) || parents[0] || null;
  for (const parent of parents.filter((id) => id !== parentKey)) {
    const kind = known.has(parent) ? 'link' : 'missing';
    warnings.push({ kind, key: idOf(issue.id), message: `a second parent, ${parent}` });
  }

  // In Beads an issue does not wait for a deleted one; here a cancelled dependency would block it.
  const dependencyKeys = links
    .filter(({ type }) => waiting.has(type))
    .map(({ id }) => id)
    .filter((id) => {
      if (known.get(id) === 'cancelled') warn(`depends on ${id}, which is cancelled`);
      return known.get(id) !== 'cancelled';
    });
  return { parentKey, dependencyKeys };
}

/** Links that say something without making anything wait. */
function otherLinks(issue: Fields, known: Known, warnings: Warning[]): Link[] {
  const links = readLinks(issue).filter(({ type }) => !waiting.has(type) && type !== 'parent-child');
  for (const { type, id } of links) {
    if (!known.has(id)) warnings.push({ kind: 'missing', key: idOf(issue.id), message: `${type} ${id}` });
  }
  return links;
}

interface Link {
  type: string;
  id: string;
}

function readLinks(issue: Fields): Link[] {
  const links = listOf(issue.dependencies).filter(isFields);
  return links.map((link) => ({ type: textOf(link.type), id: idOf(link.depends_on_id) }));
}

function commentLine(comment: Fields): string {
  return `${textOf(comment.author) || 'someone'}, ${textOf(comment.created_at)}: ${textOf(comment.text)}`;
}
