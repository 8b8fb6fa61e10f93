import type { Item, Status } from '@switchyard/shared/item';
import type { Filter, Sort } from '#lib/live/matching.ts';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import type { LiveQuery } from '#lib/live/query.svelte.ts';

export const columns = [
  { status: 'todo', label: 'Todo' },
  { status: 'claimed', label: 'Claimed' },
  { status: 'failed', label: 'Failed' },
  { status: 'done', label: 'Done' },
  { status: 'cancelled', label: 'Cancelled' },
] as const satisfies readonly { status: Status; label: string }[];

const sorts: Record<Status, Sort> = {
  todo: 'priority',
  claimed: 'priority',
  failed: 'priority',
  done: '-completed',
  cancelled: '-completed',
};

/** The lists behind the columns; todo is two, so that what is ready is never hidden behind what is blocked. */
export interface BoardQueries {
  ready: LiveQuery;
  blocked: LiveQuery;
  claimed: LiveQuery;
  failed: LiveQuery;
  done: LiveQuery;
  cancelled: LiveQuery;
}

const parts: Record<keyof BoardQueries, Filter & { status: [Status] }> = {
  ready: { status: ['todo'], ready: true },
  blocked: { status: ['todo'], ready: false },
  claimed: { status: ['claimed'] },
  failed: { status: ['failed'] },
  done: { status: ['done'] },
  cancelled: { status: ['cancelled'] },
};
const names = Object.keys(parts) as (keyof BoardQueries)[];

export function openQueries(live: ProjectLive, filter: Filter): BoardQueries {
  const open = (name: keyof BoardQueries) =>
    live.query({ ...filter, ...parts[name] }, sorts[parts[name].status[0]]);
  return Object.fromEntries(names.map((name) => [name, open(name)])) as unknown as BoardQueries;
}

export function askAll(queries: BoardQueries, filter: Filter): void {
  for (const name of names) queries[name].ask({ ...filter, ...parts[name] }, sorts[parts[name].status[0]]);
}

export function closeAll(queries: BoardQueries): void {
  for (const name of names) queries[name].close();
}

export const queriesOf = (queries: BoardQueries, status: Status): LiveQuery[] =>
  status === 'todo' ? [queries.ready, queries.blocked] : [queries[status]];

/** A row of a column: a card, or the line that folds the blocked ones away. */
export type Row = { kind: 'item'; key: string; item: Item } | { kind: 'group'; key: string; count: number };

export function rowsOf(queries: BoardQueries, status: Status, showsBlocked: boolean, blocked: number): Row[] {
  const cards = (query: LiveQuery) => query.rows.map((item): Row => ({ kind: 'item', key: item.id, item }));
  if (status !== 'todo') return cards(queries[status]);
  const rows = cards(queries.ready);
  if (blocked > 0) rows.push({ kind: 'group', key: 'blocked', count: blocked });
  return showsBlocked ? [...rows, ...cards(queries.blocked)] : rows;
}
