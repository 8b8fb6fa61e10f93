import type { Conflict, Item, Status } from '@switchyard/shared/item';
import { nameOf } from './naming.ts';
import type { Output, Style } from './output.ts';
import { table } from './table.ts';
import { fromNow } from './time.ts';

/** How an item stands, in one word: its status, and of what waits whether it may be claimed. */
export function stateOf(item: Item): string {
  if (item.stopping) return 'stopping';
  if (item.status !== 'todo') return item.status;
  return item.ready ? 'ready' : 'blocked';
}

const colours: Record<string, Style> = {
  ready: 'green',
  blocked: 'dim',
  claimed: 'cyan',
  done: 'dim',
  failed: 'red',
  cancelled: 'dim',
  stopping: 'yellow',
} satisfies Partial<Record<Status | 'ready' | 'blocked' | 'stopping', Style>>;

/** A state's word, or text about it, in its colour. */
export function painted(out: Output, state: string, text = state): string {
  const colour = colours[state];
  return colour === undefined ? text : out.style(colour, text);
}

/** Items as a table; the columns that say nothing about any of them are left out. */
export function itemTable(out: Output, items: readonly Item[]): string {
  return table(out, items, [
    { title: '#', of: ({ number }) => String(number), align: 'right' },
    { title: 'STATE', of: stateOf, paint: (text, item) => painted(out, stateOf(item), text) },
    { title: 'P', of: ({ priority }) => String(priority), align: 'right' },
    { title: 'TYPE', of: ({ task_type }) => task_type ?? '' },
    { title: 'TITLE', of: ({ title }) => title, flexible: true },
    { title: 'AGENT', of: ({ assigned_agent_id }) => assigned_agent_id ?? '' },
    { title: 'PROGRESS', of: progressOf, align: 'right' },
  ]);
}

function progressOf({ status, progress }: Item): string {
  return status === 'claimed' && progress !== null ? `${Math.round(progress)}%` : '';
}

const filesMax = 5;

/** A list of files that may be long. */
export function filesText(files: readonly string[], max = filesMax): string {
  const more = files.length > max ? ` and ${files.length - max} more` : '';
  return files.slice(0, max).join(', ') + more;
}

/** Whom one shares files with, a line each; nothing when there is nobody. */
export function conflictLines(out: Output, conflicts: readonly Conflict[]): string[] {
  if (conflicts.length === 0) return [];
  return [
    out.style('yellow', `Shares files with work that is under way:`),
    ...conflicts.map(
      (one) =>
        `  ${nameOf(one)} (${one.agent_id}): ${filesText(one.conflicting_files)}, ` +
        `${one.kind === 'modified' ? 'touched already' : 'planned'}, ${fromNow(one.since)}`,
    ),
  ];
}
