import type { ItemFilter } from '@switchyard/shared/commands';
import { statuses } from '@switchyard/shared/item';
import type { Fragment, Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { itemJson, readyNow } from './wire.ts';

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

/** The files that an item has touched; none when there is no such item. */
export async function filesModifiedOf(sql: Sql, id: string): Promise<string[]> {
  const [row] = await sql<
    { files_modified: string[] }[]
  >`SELECT files_modified FROM work_items WHERE id = ${id}`;
  return row?.files_modified ?? [];
}

/** The condition that a filter of `item.list` and `items.bulk` means for `i`. */
export function matches(sql: Sql, projectId: string, filter: ItemFilter): Fragment {
  const all: Fragment[] = [sql`i.project_id = ${projectId}`];
  if (filter.number !== undefined) all.push(sql`i.number = ${filter.number}`);
  if (filter.status) all.push(sql`i.status = ANY(${filter.status})`);
  if (filter.ready !== undefined) all.push(sql`(${within(sql, readyNow)}) = ${filter.ready}`);
  if (filter.task_type) all.push(sql`i.task_type = ANY(${filter.task_type})`);
  if (filter.agent !== undefined) all.push(sql`i.assigned_agent_id = ${filter.agent}`);
  if (filter.priority !== undefined) all.push(sql`i.priority = ${filter.priority}`);
  if (filter.parent === 'none') all.push(sql`i.parent_item_id IS NULL`);
  else if (filter.parent !== undefined) all.push(sql`i.parent_item_id = ${filter.parent}`);
  if (filter.q !== undefined) all.push(search(sql, filter.q));
  return all.reduce((both, one) => sql`${both} AND ${one}`);
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

/** A page of items. Keyset paging: rows that come and go in between neither repeat nor hide another. */
export async function listItems(
  sql: Sql,
  projectId: string,
  filter: ItemFilter,
  page: Page,
): Promise<ItemPage> {
  const by: Order = orders[page.sort.replace('-', '') as keyof typeof orders];
  const down = page.sort.startsWith('-');
  const column = by.column(sql);
  const key = by.key?.(sql) ?? column;
  const from = page.after
    ? sql`AND (${column}, i.number) ${down ? sql`<` : sql`>`}
    (${by.parse(sql, page.after.key)}, ${page.after.number}::int)`
    : sql``;
  const where = matches(sql, projectId, filter);
  const order = down ? sql`DESC` : sql`ASC`;
  const rows = await sql<{ item: string; key: string; number: number }[]>`
    SELECT ${within(sql, itemJson)}::text AS item, (${key})::text AS key, i.number FROM work_items i
    WHERE ${where} ${from} ORDER BY ${column} ${order}, i.number ${order} LIMIT ${page.limit + 1}`;
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

/** The first window of a project: claimed and failed items whole, of each other status the first `window`. */
export async function windowOfItems(sql: Sql, projectId: string, window: number): Promise<string[]> {
  const rows = await sql<{ item: string }[]>`
    SELECT ${within(sql, itemJson)}::text AS item FROM work_items i JOIN (
      SELECT id FROM work_items WHERE project_id = ${projectId} AND status IN ('claimed', 'failed')
      UNION ALL (SELECT id FROM work_items WHERE project_id = ${projectId} AND status = 'todo' ORDER BY priority, number LIMIT ${window})
      UNION ALL (SELECT id FROM work_items WHERE project_id = ${projectId} AND status = 'done' ORDER BY completed_at DESC, number DESC LIMIT ${window})
      UNION ALL (SELECT id FROM work_items WHERE project_id = ${projectId} AND status = 'cancelled' ORDER BY completed_at DESC, number DESC LIMIT ${window})
    ) AS seen ON seen.id = i.id ORDER BY i.number`;
  return rows.map((row) => row.item);
}
