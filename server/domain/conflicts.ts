import type { Conflict, ConflictPair } from '@switchyard/shared/item';
import type { Sql } from '../db/database.ts';

/** The conflicts that these files would meet, or do meet, with live claims; the newest claim last. `but`: not with this item. */
export async function conflictsOfFiles(
  sql: Sql,
  projectId: string,
  planned: readonly string[],
  modified: readonly string[],
  patterns: Record<string, unknown>,
  but: { itemId?: string | undefined; agentId?: string | undefined } = {},
): Promise<Conflict[]> {
  const rows = await sql<{ conflict: Conflict }[]>`
    SELECT jsonb_build_object('work_item_id', o.id, 'number', o.number, 'title', o.title, 'agent_id', o.assigned_agent_id,
      'conflicting_files', shared -> 'files', 'kind', shared -> 'kind', 'since', iso(o.assigned_at)) AS conflict
    FROM work_items o CROSS JOIN LATERAL (
      SELECT shared_files(${sql.json(planned)}, ${sql.json(modified)}, ${sql.json(patterns as never)},
        o.files_planned, o.files_modified, o.file_patterns) AS shared OFFSET 0) AS overlap
    WHERE o.project_id = ${projectId} AND o.status = 'claimed' AND shared IS NOT NULL
      AND o.id IS DISTINCT FROM ${but.itemId ?? null}::uuid
      AND (${but.agentId ?? null}::text IS NULL OR o.assigned_agent_id <> ${but.agentId ?? null}::text)
    ORDER BY o.assigned_at, o.number`;
  return rows.map((row) => row.conflict);
}

/** The conflicts of one item as it stands, claimed or about to be; undefined when there is no such item. */
export async function conflictsOfItem(sql: Sql, id: string): Promise<Conflict[]> {
  const [item] = await sql<
    {
      project_id: string;
      files_planned: string[];
      files_modified: string[];
      file_patterns: Record<string, unknown>;
    }[]
  >`SELECT project_id, files_planned, files_modified, file_patterns FROM work_items WHERE id = ${id}`;
  if (!item || item.files_planned.length + item.files_modified.length === 0) return [];
  return conflictsOfFiles(sql, item.project_id, item.files_planned, item.files_modified, item.file_patterns, {
    itemId: id,
  });
}

/** All pairs of claimed items that share files now. */
export async function conflictsOfProject(sql: Sql, projectId: string): Promise<ConflictPair[]> {
  const rows = await sql<{ pair: ConflictPair }[]>`
    WITH claims AS MATERIALIZED (
      SELECT *, ARRAY(SELECT jsonb_array_elements_text(files_planned || files_modified)) AS paths FROM work_items
      WHERE project_id = ${projectId} AND status = 'claimed' AND (files_planned <> '[]' OR files_modified <> '[]')
    )
    SELECT jsonb_build_object(
      'items', jsonb_build_array(
        jsonb_build_object('work_item_id', a.id, 'number', a.number, 'title', a.title, 'agent_id', a.assigned_agent_id, 'attempt', a.attempt),
        jsonb_build_object('work_item_id', b.id, 'number', b.number, 'title', b.title, 'agent_id', b.assigned_agent_id, 'attempt', b.attempt)),
      'conflicting_files', shared -> 'files', 'kind', shared -> 'kind', 'since', iso(greatest(a.assigned_at, b.assigned_at))) AS pair
    FROM claims a JOIN claims b ON a.number < b.number
    CROSS JOIN LATERAL (
      SELECT CASE WHEN a.file_patterns <> '{}' OR b.file_patterns <> '{}' OR (b.files_planned || b.files_modified) ?| a.paths
        THEN shared_files(a.files_planned, a.files_modified, a.file_patterns, b.files_planned, b.files_modified, b.file_patterns)
      END AS shared OFFSET 0) AS overlap
    WHERE shared IS NOT NULL ORDER BY greatest(a.assigned_at, b.assigned_at), a.number, b.number`;
  return rows.map((row) => row.pair);
}
