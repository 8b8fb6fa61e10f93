import type { Sql } from '../db/database.ts';
import { text } from '../db/text.ts';
import { endClaim, firstOfEach, heldColumns, mine, withFiles, type HeldEntry } from './held.ts';
import { event, lineColumns, mutation, steps, write, type Outcome } from './journal.ts';
import { blockedByAllBut, byId, noLease } from './wire.ts';

export interface CompleteEntry extends HeldEntry {
  result_summary: string;
  files: string[];
  patterns: Record<string, unknown>;
}

const completing = mutation({
  columns: text`${heldColumns}, result_summary text, files jsonb, patterns jsonb`,
  operation: text`${mine}, finished AS (
      UPDATE work_items AS i SET
        status = 'done', completed_at = project.now, progress = 100, lost_count = 0,
        result_summary = input.result_summary, failure_reason = NULL,
        files_modified = ${withFiles(text`i.files_modified`, text`input.files`)},
        file_patterns = i.file_patterns || input.patterns, ${endClaim}
      FROM mine AS input CROSS JOIN project WHERE i.ctid = input.tid
        -- One that was made to wait under its claim may wait for another of this batch, and no statement can change a
        -- row twice: it comes again, alone.
        AND (i.open_blockers = 0 OR (SELECT count(*) FROM mine) = 1)
      RETURNING ${event({
        ord: text`input.ord`,
        type: text`'item.completed'`,
        data: text`jsonb_build_object('status', i.status, 'completed_at', project.now_iso, 'progress', 100,
          'result_summary', i.result_summary, 'failure_reason', NULL, 'lost_count', 0)
          || CASE WHEN input.files = '[]' THEN '{}' ELSE jsonb_build_object('files_added', input.files) END`,
        lease: noLease,
        now: ['updated_at', 'completed_at'],
        mayShare: text`input.had_files`,
      })}, i.parent_item_id
    ), freed AS MATERIALIZED (
      SELECT i.id, i.tid, waiting.count, waiting.ord, ${blockedByAllBut({ dependencies: text`SELECT item_id FROM finished`, children: text`SELECT item_id FROM finished` })} AS blocked_by
      FROM (
        SELECT id, count(*)::int AS count, max(ord) AS ord FROM (
          SELECT d.item_id AS id, f.ord FROM finished f CROSS JOIN LATERAL (
            SELECT item_id FROM work_item_dependencies WHERE depends_on_id = f.item_id OFFSET 0) d
          UNION ALL SELECT f.parent_item_id, f.ord FROM finished f WHERE f.parent_item_id IS NOT NULL
        ) AS each GROUP BY id
      ) AS waiting CROSS JOIN ${byId(text`waiting.id`)} i
      WHERE i.id NOT IN (SELECT item_id FROM finished)
    ), unblocked AS (
      UPDATE work_items AS i SET
        open_blockers = i.open_blockers - freed.count, updated_at = project.now, version = i.version + 1
      FROM freed CROSS JOIN project WHERE i.ctid = freed.tid
      RETURNING ${event({
        ord: text`freed.ord`,
        step: steps.relatives,
        type: text`'item.updated'`,
        data: text`jsonb_build_object('blocked_by', freed.blocked_by)`,
        blockedBy: text`freed.blocked_by`,
      })}
    ), changes AS (SELECT ${lineColumns} FROM finished UNION ALL SELECT * FROM unblocked)`,
});

/** Finishes claims, and takes them off what waited for them: dependents, and the parent. */
export function completeItems(
  sql: Sql,
  projectId: string,
  entries: readonly CompleteEntry[],
): Promise<Outcome[]> {
  return write(sql, completing, projectId, firstOfEach(entries));
}
