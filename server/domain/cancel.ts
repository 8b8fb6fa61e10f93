import type { Sql } from '../db/database.ts';
import { text, type SqlText } from '../db/text.ts';
import { heldColumns, type HeldEntry } from './held.ts';
import { event, mutation, write, type Entry, type Outcome } from './journal.ts';
import { blockedByAllBut, blockedByAnd, byId } from './wire.ts';

export interface CancelEntry extends Entry {
  ids: string[];
  reason: string | null;
  dependents: 'block' | 'release' | 'cancel';
  /** Under `release`, those that keep their dependencies: they are about to be cancelled too. */
  spared: string[];
}

const cancelling = mutation({
  columns: text`ids jsonb, reason text, dependents text, spared jsonb`,
  operation: text`
    doomed AS MATERIALIZED (
      WITH RECURSIVE down AS (
        SELECT i.id FROM input CROSS JOIN jsonb_array_elements_text(input.ids) AS named (id)
        CROSS JOIN ${byId(text`named.id::uuid`)} i
        WHERE i.project_id = $1 AND i.status IN ('todo', 'claimed', 'failed')
        UNION
        SELECT d.item_id FROM down CROSS JOIN LATERAL (SELECT item_id FROM work_item_dependencies WHERE depends_on_id = down.id OFFSET 0) d
        CROSS JOIN ${byId(text`d.item_id`)} i CROSS JOIN input
        WHERE input.dependents = 'cancel' AND i.status IN ('todo', 'claimed', 'failed')
      ) SELECT id FROM down
    ), dropped AS (
      DELETE FROM work_item_dependencies d USING input, doomed
      WHERE input.dependents = 'release' AND d.depends_on_id = doomed.id AND d.item_id NOT IN (
        SELECT id FROM doomed UNION ALL SELECT spared.id::uuid FROM input CROSS JOIN jsonb_array_elements_text(input.spared) AS spared (id))
      RETURNING d.item_id, d.depends_on_id
    ), ${closeItems()}`,
});

/**
 * Cancels items at once, claimed or not, and deals with what depends on them: `block` leaves it waiting, `release`
 * drops the dependency, `cancel` takes it along, transitively. Holders are told by whoever reads the log.
 */
export function cancelItems(sql: Sql, projectId: string, entry: CancelEntry): Promise<Outcome[]> {
  return write(sql, cancelling, projectId, [entry]);
}

/**
 * Takes `doomed` out of the queue. Whatever they block less is counted off in the same UPDATE that may cancel it too:
 * one statement must not update a row twice.
 */
function closeItems(): SqlText {
  const but = {
    dependencies: text`SELECT d.depends_on_id FROM dropped d WHERE d.item_id = i.id`,
    children: text`SELECT id FROM doomed`,
  };
  return text`
    lighter AS MATERIALIZED (
      SELECT id, sum(count)::int AS count FROM (
        SELECT item_id AS id, 1 AS count FROM dropped
        UNION ALL
        SELECT i.parent_item_id, 1 FROM doomed CROSS JOIN ${byId(text`doomed.id`)} i WHERE i.parent_item_id IS NOT NULL
      ) AS each GROUP BY id
    ), plan AS MATERIALIZED (
      SELECT i.tid, coalesce(lighter.count, 0) AS count, doomed.id IS NOT NULL AS cancels, i.status = 'claimed' AS was_claimed,
        ${blockedByAllBut(but)} AS blocked_by,
        i.dependencies - ARRAY(SELECT d.depends_on_id::text FROM dropped d WHERE d.item_id = i.id) AS dependencies
      FROM lighter FULL JOIN doomed USING (id) CROSS JOIN ${byId(text`coalesce(lighter.id, doomed.id)`)} i
    ), changes AS (
      UPDATE work_items AS i SET
        open_blockers = i.open_blockers - plan.count, dependencies = plan.dependencies,
        status = CASE WHEN plan.cancels THEN 'cancelled' ELSE i.status END,
        completed_at = CASE WHEN plan.cancels THEN project.now ELSE i.completed_at END,
        stopping = i.stopping OR (plan.cancels AND plan.was_claimed),
        retry_at = CASE WHEN plan.cancels THEN NULL ELSE i.retry_at END,
        failure_reason = CASE WHEN plan.cancels THEN coalesce(input.reason, i.failure_reason) ELSE i.failure_reason END,
        lease_seconds = CASE WHEN plan.cancels THEN NULL ELSE i.lease_seconds END,
        lease_expires_at = CASE WHEN plan.cancels THEN NULL ELSE i.lease_expires_at END,
        updated_at = project.now, version = i.version + 1
      FROM plan CROSS JOIN project CROSS JOIN input WHERE i.ctid = plan.tid
      RETURNING ${event({
        ord: text`input.ord`,
        type: text`CASE WHEN plan.cancels THEN 'item.cancelled' ELSE 'item.updated' END`,
        data: text`CASE WHEN plan.cancels THEN jsonb_build_object('status', i.status, 'reason', input.reason,
            'failure_reason', i.failure_reason, 'completed_at', iso(i.completed_at), 'retry_at', NULL, 'stopping', i.stopping)
          ELSE '{}' END
          || CASE WHEN plan.count = 0 THEN '{}'
            ELSE jsonb_build_object('blocked_by', plan.blocked_by, 'dependencies', plan.dependencies) END`,
        blockedBy: text`plan.blocked_by`,
      })}
    )`;
}

const wasHeld = text`i.project_id = project.id AND i.stopping AND i.attempt = input.attempt
    AND (i.session_id = input.session_id OR (input.session_id IS NULL AND i.assigned_agent_id = input.agent_id))`;

const acknowledging = mutation({
  columns: heldColumns,
  operation: text`
    told AS MATERIALIZED (
      SELECT DISTINCT ON (i.id) input.ord, i.tid FROM input CROSS JOIN project CROSS JOIN ${byId(text`input.id`)} i
      WHERE ${wasHeld} ORDER BY i.id, input.ord
    ), changes AS (
      UPDATE work_items AS i SET stopping = false, updated_at = project.now, version = i.version + 1
      FROM told CROSS JOIN project WHERE i.ctid = told.tid
      RETURNING ${event({
        ord: text`told.ord`,
        type: text`'item.cancel_acknowledged'`,
        data: text`jsonb_build_object('stopping', false)`,
      })}
    )`,
});

/** A holder says that it has stopped working on what was cancelled under it. */
export function acknowledgeCancel(
  sql: Sql,
  projectId: string,
  entries: readonly HeldEntry[],
): Promise<Outcome[]> {
  return write(sql, acknowledging, projectId, entries);
}

const retrying = mutation({
  columns: text`id uuid`,
  operation: text`
    reopened AS MATERIALIZED (
      SELECT DISTINCT ON (i.id) i.id, input.ord, i.parent_item_id, i.status = 'cancelled' AS reopens
      FROM input CROSS JOIN ${byId(text`input.id`)} i
      WHERE i.project_id = $1 AND i.status IN ('failed', 'cancelled') ORDER BY i.id, input.ord
    ), heavier AS MATERIALIZED (
      SELECT parent_item_id AS id, count(*)::int AS count, max(ord) AS ord,
        jsonb_agg(reopened.id) AS added
      FROM reopened WHERE reopens AND parent_item_id IS NOT NULL GROUP BY 1
    ), plan AS MATERIALIZED (
      SELECT i.tid, coalesce(heavier.count, 0) AS count, reopened.id IS NOT NULL AS retries,
        coalesce(reopened.ord, heavier.ord) AS ord,
        ${blockedByAnd(text`heavier.added`)} AS blocked_by
      FROM heavier FULL JOIN reopened USING (id) CROSS JOIN ${byId(text`coalesce(heavier.id, reopened.id)`)} i
    ), changes AS (
      UPDATE work_items AS i SET
        open_blockers = i.open_blockers + plan.count,
        status = CASE WHEN plan.retries THEN 'todo' ELSE i.status END,
        completed_at = CASE WHEN plan.retries THEN NULL ELSE i.completed_at END,
        retry_at = CASE WHEN plan.retries THEN NULL ELSE i.retry_at END,
        stopping = CASE WHEN plan.retries THEN false ELSE i.stopping END,
        lost_count = CASE WHEN plan.retries THEN 0 ELSE i.lost_count END,
        progress = CASE WHEN plan.retries THEN NULL ELSE i.progress END,
        progress_note = CASE WHEN plan.retries THEN NULL ELSE i.progress_note END,
        updated_at = project.now, version = i.version + 1
      FROM plan CROSS JOIN project WHERE i.ctid = plan.tid
      RETURNING ${event({
        ord: text`plan.ord`,
        type: text`CASE WHEN plan.retries THEN 'item.retried' ELSE 'item.updated' END`,
        data: text`CASE WHEN plan.retries THEN jsonb_build_object('status', i.status, 'completed_at', NULL, 'retry_at', NULL,
            'stopping', false, 'lost_count', 0, 'progress', NULL, 'progress_note', NULL) ELSE '{}' END
          || CASE WHEN plan.count = 0 THEN '{}' ELSE jsonb_build_object('blocked_by', plan.blocked_by) END`,
        blockedBy: text`plan.blocked_by`,
      })}
    )`,
});

/** Puts failed and cancelled items back into the queue; a child that reopens holds its parent back again. */
export function retryItems(
  sql: Sql,
  projectId: string,
  entries: readonly (Entry & { id: string })[],
): Promise<Outcome[]> {
  return write(sql, retrying, projectId, entries);
}
