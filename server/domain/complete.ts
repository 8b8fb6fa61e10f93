import type { Sql } from '../db/database.ts';
import { endClaim, held, heldColumns, withFiles, type HeldEntry } from './held.ts';
import { event, steps, write, type Outcome } from './journal.ts';
import { blockedBy } from './wire.ts';

export interface CompleteEntry extends HeldEntry {
  result_summary: string;
  files: string[];
  patterns: Record<string, unknown>;
}

/** Finishes claims, and takes them off what waited for them: dependents, and the parent. */
export function completeItems(
  sql: Sql,
  projectId: string,
  entries: readonly CompleteEntry[],
): Promise<Outcome[]> {
  const columns = sql`${heldColumns(sql)}, result_summary text, files jsonb, patterns jsonb`;
  return write(
    sql,
    projectId,
    entries,
    columns,
    sql`
    finished AS (
      UPDATE work_items AS i SET
        status = 'done', completed_at = project.now, progress = 100, lost_count = 0,
        result_summary = input.result_summary, failure_reason = NULL,
        files_modified = ${withFiles(sql, sql`i.files_modified`, sql`input.files`)},
        file_patterns = i.file_patterns || input.patterns, ${endClaim(sql)}
      FROM input CROSS JOIN project WHERE ${held(sql)}
      RETURNING i.*, ${event(sql, {
        ord: sql`input.ord`,
        type: 'item.completed',
        data: sql`jsonb_build_object('status', i.status, 'completed_at', iso(i.completed_at), 'progress', 100,
          'result_summary', i.result_summary, 'failure_reason', NULL, 'lost_count', 0)
          || CASE WHEN input.files = '[]' THEN '{}' ELSE jsonb_build_object('files_added', input.files) END`,
      })}
    ), freed AS MATERIALIZED (
      SELECT i.id, waiting.count, waiting.ord, ${blockedBy(sql, sql`SELECT id FROM finished`)} AS blocked_by
      FROM (
        SELECT id, count(*)::int AS count, max(ord) AS ord FROM (
          SELECT d.item_id AS id, f.ev_ord AS ord FROM finished f JOIN work_item_dependencies d ON d.depends_on_id = f.id
          UNION ALL SELECT f.parent_item_id, f.ev_ord FROM finished f WHERE f.parent_item_id IS NOT NULL
        ) AS each GROUP BY id
      ) AS waiting JOIN work_items i ON i.id = waiting.id
      WHERE i.id NOT IN (SELECT id FROM finished)
    ), unblocked AS (
      UPDATE work_items AS i SET
        open_blockers = i.open_blockers - freed.count, updated_at = project.now, version = i.version + 1
      FROM freed CROSS JOIN project WHERE i.id = freed.id
      RETURNING i.*, ${event(sql, {
        ord: sql`freed.ord`,
        step: steps.relatives,
        type: 'item.updated',
        data: sql`jsonb_build_object('blocked_by', freed.blocked_by)`,
        blockedBy: sql`freed.blocked_by`,
      })}
    ), changes AS (SELECT * FROM finished UNION ALL SELECT * FROM unblocked)`,
  );
}
