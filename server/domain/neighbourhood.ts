import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { itemJson } from './wire.ts';

/** Links that are followed at most: beyond it nobody counts. */
const followedMax = 10_000;

export interface Neighbourhood {
  /** Nearest first, the item itself before all. */
  items: string[];
  /** How many there are; null when more than anybody counted. */
  total: number | null;
}

/**
 * What an item waits for and what waits for it, step by step: a dependency comes before its dependents, a child before
 * its parent. Each way goes on in its own direction only: what else waits for a dependency is no neighbour, or a
 * parent of a hundred would bring them all.
 *
 * Without a depth all rows have the depth 0, so that UNION drops whatever was reached before; with one, an item may be
 * reached once a step, which is why it is small. A recursion adds a round at a time, so its order is that of the steps.
 */
export async function neighbourhood(
  sql: Sql,
  id: string,
  depth: number | undefined,
  limit: number,
): Promise<Neighbourhood> {
  const rows = await sql<{ item: string; total: number; followed: number }[]>`
    WITH RECURSIVE reach AS (
      SELECT ${id}::uuid AS id, way, 0 AS depth FROM (VALUES ('before'), ('after')) AS ways (way)
      UNION
      SELECT next.id, reach.way, ${depth === undefined ? sql`0` : sql`reach.depth + 1`} FROM reach CROSS JOIN LATERAL (
        SELECT depends_on_id AS id FROM work_item_dependencies WHERE reach.way = 'before' AND item_id = reach.id
        UNION ALL SELECT w.id FROM work_items w WHERE reach.way = 'before' AND w.parent_item_id = reach.id
        UNION ALL SELECT item_id FROM work_item_dependencies WHERE reach.way = 'after' AND depends_on_id = reach.id
        UNION ALL SELECT w.parent_item_id FROM work_items w
          WHERE reach.way = 'after' AND w.id = reach.id AND w.parent_item_id IS NOT NULL) AS next
      WHERE ${depth === undefined ? sql`true` : sql`reach.depth < ${depth}::int`}
    ), followed AS MATERIALIZED (
      SELECT id, row_number() OVER () AS place FROM (SELECT id FROM reach LIMIT ${followedMax}) AS links
    ), found AS MATERIALIZED (
      SELECT id, min(place) AS place FROM followed GROUP BY id
    )
    SELECT ${within(sql, itemJson)}::text AS item, (SELECT count(*)::int FROM found) AS total,
      (SELECT count(*)::int FROM followed) AS followed
    FROM (SELECT id AS found_id, place FROM found ORDER BY place LIMIT ${limit}) AS near
    JOIN work_items i ON i.id = near.found_id ORDER BY near.place`;
  const [first] = rows;
  const all = first !== undefined && first.followed < followedMax;
  return { items: rows.map((row) => row.item), total: all ? first.total : null };
}
