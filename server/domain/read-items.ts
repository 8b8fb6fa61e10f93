import type { ItemFilter } from '@switchyard/shared/commands';
import { statuses, type Status } from '@switchyard/shared/item';
import type { Fragment, Sql } from '../db/database.ts';
import { text, within, type SqlText } from '../db/text.ts';
import { byId, isReady, itemJson } from './wire.ts';

/** An item as JSON text, and what the hub itself needs of it. */
export interface ItemRow {
  id: string;
  project_id: string;
  item: string;
}

export async function findItem(sql: Sql, id: string): Promise<ItemRow | undefined> {
  const [row] = await sql<ItemRow[]>`
    SELECT i.id, i.project_id, ${within(sql, itemJson)}::text AS item FROM work_items i WHERE i.id = ${id}`;
  return row;
}

/** Which project an item belongs to; undefined when there is no such item. */
export async function projectOfItem(sql: Sql, id: string): Promise<string | undefined> {
  const [row] = await sql<{ project_id: string }[]>`SELECT project_id FROM work_items WHERE id = ${id}`;
  return row?.project_id;
}

/** The condition that a filter of `item.list` and `items.bulk` means for `i`. */
export function matches(sql: Sql, projectId: string, filter: ItemFilter): Fragment {
  const all: Fragment[] = [sql`i.project_id = ${projectId}`];
  if (filter.number) all.push(sql`i.number = ANY(${filter.number}::int[])`);
  if (filter.status) all.push(hasStatus(sql, filter.status));
  if (filter.ready !== undefined) {
    const ready = isReady(sql, projectId);
    all.push(filter.ready ? ready : sql`NOT ${ready}`);
  }
  if (filter.task_type) all.push(sql`i.task_type = ANY(${filter.task_type})`);
  if (filter.agent !== undefined) all.push(sql`i.assigned_agent_id = ${filter.agent}`);
  if (filter.priority !== undefined) all.push(sql`i.priority = ${filter.priority}`);
  if (filter.parent === 'none') all.push(sql`i.parent_item_id IS NULL`);
  else if (filter.parent !== undefined) all.push(sql`i.parent_item_id = ${filter.parent}`);
  if (filter.q !== undefined) all.push(search(sql, filter.q));
  return all.reduce((both, one) => sql`${both} AND ${one}`);
}

/** One status as a literal: a plan that is made before it is known cannot use the index of that status. */
const literal: Record<Status, SqlText> = {
  todo: text`'todo'`,
  claimed: text`'claimed'`,
  done: text`'done'`,
  failed: text`'failed'`,
  cancelled: text`'cancelled'`,
};

function hasStatus(sql: Sql, wanted: readonly Status[]): Fragment {
  const [one, ...more] = wanted;
  return one && more.length === 0
    ? sql`i.status = ${within(sql, literal[one])}`
    : sql`i.status = ANY(${wanted as Status[]})`;
}

/** `#31` is the item's number; anything else stands, word by word, in title or description. */
function search(sql: Sql, q: string): Fragment {
  const number = /^#?(\d{1,9})$/.exec(q.trim())?.[1];
  const words = q
    .trim()
    .split(/\s+/)
    .map((word) => `%${word.replace(/[\\%_]/g, '\\$&')}%`);
  const text = sql`(i.title || ' ' || coalesce(i.description, '')) ILIKE ALL(${words})`;
  return number === undefined ? text : sql`(i.number = ${Number(number)} OR ${text})`;
}

interface Order {
  /** Never null: what is missing comes first on the way up. */
  column: (sql: Sql) => Fragment;
  /** What a cursor keeps of the column, as text; when left out, the column itself. */
  key?: (sql: Sql) => Fragment;
  /** The column's value again. */
  parse: (sql: Sql, key: string) => Fragment;
}

const int = (sql: Sql, key: string) => sql`${key}::text::int`;
const string = (sql: Sql, key: string) => sql`${key}::text`;
const instant = (column: (sql: Sql) => Fragment): Order => ({
  column,
  key: (sql) => sql`extract(epoch FROM ${column(sql)})`,
  parse: (sql, key) => sql`to_timestamp(${key}::text::float8)`,
});

const orders = {
  number: { column: (sql) => sql`i.number`, parse: int },
  priority: { column: (sql) => sql`i.priority`, parse: int },
  updated: instant((sql) => sql`i.updated_at`),
  completed: instant((sql) => sql`coalesce(i.completed_at, to_timestamp(0))`),
  title: { column: (sql) => sql`i.title COLLATE "C"`, parse: string },
  status: { column: (sql) => sql`array_position(${[...statuses]}::text[], i.status::text)`, parse: int },
  type: { column: (sql) => sql`coalesce(i.task_type, '') COLLATE "C"`, parse: string },
  agent: { column: (sql) => sql`coalesce(i.assigned_agent_id, '') COLLATE "C"`, parse: string },
  progress: {
    column: (sql) => sql`coalesce(i.progress, -1)`,
    parse: (sql, key) => sql`${key}::text::float8`,
  },
} satisfies Record<string, Order>;

export interface Page {
  sort: string;
  limit: number;
  /** Sort key and number of the last row seen. */
  after?: { key: string; number: number } | undefined;
}

export interface ItemPage {
  items: string[];
  total: number;
  /** Of the last row, when more follow. */
  next: { key: string; number: number } | null;
}

/** What is over has ended at some time, so that there the column itself will do, which has an index. */
const ended = instant((sql) => sql`i.completed_at`);
const over: readonly Status[] = ['done', 'failed', 'cancelled'];

function orderOf(sort: string, { status }: ItemFilter): Order {
  const key = sort.replace('-', '') as keyof typeof orders;
  const endedOnly = status !== undefined && status.every((one) => over.includes(one));
  return key === 'completed' && endedOnly ? ended : orders[key];
}

/**
 * A page of items. Keyset paging: rows that come and go in between neither repeat nor hide another. First its ids, then
 * the rows: sorting the whole rows of 100,000 items took more than twice as long.
 */
export async function listItems(
  sql: Sql,
  projectId: string,
  filter: ItemFilter,
  page: Page,
): Promise<ItemPage> {
  const by = orderOf(page.sort, filter);
  const down = page.sort.startsWith('-');
  const column = by.column(sql);
  const key = by.key?.(sql) ?? column;
  const from = page.after
    ? sql`AND (${column}, i.number) ${down ? sql`<` : sql`>`}
    (${by.parse(sql, page.after.key)}, ${page.after.number}::int)`
    : sql``;
  const where = matches(sql, projectId, filter);
  const order = sql`ORDER BY ${column} ${down ? sql`DESC` : sql`ASC`}, i.number ${down ? sql`DESC` : sql`ASC`}`;
  const rows = await sql<{ item: string; key: string; number: number }[]>`
    SELECT ${within(sql, itemJson)}::text AS item, (${key})::text AS key, i.number FROM (
      SELECT i.id FROM work_items i WHERE ${where} ${from} ${order} LIMIT ${page.limit + 1}
    ) AS page CROSS JOIN ${within(sql, byId(text`page.id`))} AS i ${order}`;
  const [counted] = await sql<
    { total: number }[]
  >`SELECT count(*)::int AS total FROM work_items i WHERE ${where}`;
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  return {
    items: shown.map((row) => row.item),
    total: counted!.total,
    next: last ? { key: last.key, number: last.number } : null,
  };
}

/** Ids of all items that match, in the order of their numbers. */
export async function matchingIds(sql: Sql, projectId: string, filter: ItemFilter): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    SELECT i.id FROM work_items i WHERE ${matches(sql, projectId, filter)} ORDER BY i.number`;
  return rows.map((row) => row.id);
}

/** Ids of all that depend on one of these and are not over, each once. */
export async function openDependentsOf(sql: Sql, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ item_id: string }[]>`
    SELECT DISTINCT d.item_id FROM work_item_dependencies d JOIN work_items i ON i.id = d.item_id
    WHERE d.depends_on_id = ANY(${ids as string[]}) AND i.status IN ('todo', 'claimed', 'failed')`;
  return rows.map((row) => row.item_id);
}

/**
 * The first window of a project: claimed and failed items whole, of each other status the first `window`. Each part is the
 * beginning of an index; what is ready and what is blocked has one each, and the first of both are among these.
 */
export async function windowOfItems(sql: Sql, projectId: string, window: number): Promise<string[]> {
  const first = (condition: SqlText, order: SqlText) => sql`(
    SELECT id, priority, number FROM work_items WHERE project_id = ${projectId} AND ${within(sql, condition)}
    ORDER BY ${within(sql, order)} LIMIT ${window})`;
  const [byPriority, newest] = [text`priority, number`, text`completed_at DESC, number DESC`];
  const rows = await sql<{ item: string }[]>`
    SELECT ${within(sql, itemJson)}::text AS item FROM (
      SELECT id FROM work_items WHERE project_id = ${projectId} AND status IN ('claimed', 'failed')
      UNION ALL (SELECT id FROM (
        ${first(text`status = 'todo' AND open_blockers = 0`, byPriority)}
        UNION ALL ${first(text`status = 'todo' AND open_blockers > 0`, byPriority)}
      ) AS todo ORDER BY priority, number LIMIT ${window})
      UNION ALL (SELECT id FROM ${first(text`status = 'done'`, newest)} AS done)
      UNION ALL (SELECT id FROM ${first(text`status = 'cancelled'`, newest)} AS cancelled)
    ) AS seen CROSS JOIN ${within(sql, byId(text`seen.id`))} AS i ORDER BY i.number`;
  return rows.map((row) => row.item);
}
