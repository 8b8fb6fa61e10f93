import type { Sql } from '../db/database.ts';

/** Who waits for whom, among all that these items reach by waiting; without the links that an item is about to leave. */
export async function waitingGraph(
  sql: Sql,
  ids: readonly string[],
  leaving: { relinked?: string | undefined; moved?: string | undefined } = {},
): Promise<Map<string, string[]>> {
  const { relinked = null, moved = null } = leaving;
  const rows = await sql<{ id: string; on_id: string }[]>`
    WITH RECURSIVE reach AS (
      SELECT unnest(${ids as string[]}::uuid[]) AS id
      UNION
      SELECT next.on_id FROM reach CROSS JOIN LATERAL (
        SELECT depends_on_id AS on_id FROM work_item_dependencies WHERE item_id = reach.id
        UNION ALL SELECT w.id FROM work_items w WHERE w.parent_item_id = reach.id) AS next
    )
    SELECT d.item_id AS id, d.depends_on_id AS on_id FROM reach JOIN work_item_dependencies d ON d.item_id = reach.id
    WHERE d.item_id IS DISTINCT FROM ${relinked}::uuid
    UNION ALL SELECT w.parent_item_id, w.id FROM reach JOIN work_items w ON w.parent_item_id = reach.id
    WHERE w.id IS DISTINCT FROM ${moved}::uuid`;
  const graph = new Map<string, string[]>();
  for (const { id, on_id } of rows) graph.set(id, [...(graph.get(id) ?? []), on_id]);
  return graph;
}
