import { limits } from '@switchyard/shared/limits';
import type { Sql } from '../db/database.ts';
import { text } from '../db/text.ts';
import { endClaim } from './held.ts';
import { event, mutation, write, type Entry, type Outcome } from './journal.ts';

/** Each claim that ends is compared with all whose files it may share: 200 at a time, three files each, took up to 2 s. */
const pageMax = 100;

export interface SweepLook {
  projects: string[];
  /** The database's clock, as it writes it and in ms. */
  now: string;
  now_ms: number;
}

/** Projects in which a lease has ended, or a retry has fallen due, on the database's clock. */
export async function lookForSweep(sql: Sql): Promise<SweepLook> {
  const [look] = await sql<[SweepLook]>`
    WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)
    SELECT now::text AS now, (extract(epoch FROM now) * 1000)::float8 AS now_ms, (
      SELECT coalesce(json_agg(project_id), '[]') FROM (
        SELECT project_id FROM agent_sessions WHERE lease_expires_at < clock.now
        UNION SELECT project_id FROM work_items WHERE lease_expires_at < clock.now
        UNION SELECT project_id FROM work_items WHERE retry_at <= clock.now) AS overdue) AS projects
    FROM clock`;
  return look;
}

export interface SweepEntry extends Entry {
  /** Only leases that had ended by then. */
  before: string;
}

const sweeping = mutation({
  columns: text`before timestamptz`,
  operation: text`
    dead AS (
      -- Its connection may live on: an agent that stalled for a while takes up work again where it is.
      UPDATE agent_sessions s SET lease_expires_at = NULL
      FROM input CROSS JOIN project
      WHERE s.id IN (
        SELECT e.id FROM agent_sessions e
        WHERE e.project_id = $1 AND e.lease_expires_at < (SELECT before FROM input) LIMIT ${pageMax})
      RETURNING s.id
    ), lapsed AS MATERIALIZED (
      (SELECT i.id FROM work_items i
        WHERE i.project_id = $1 AND i.status = 'claimed' AND i.lease_expires_at < (SELECT before FROM input) LIMIT ${pageMax})
      UNION
      SELECT i.id FROM work_items i JOIN dead ON dead.id = i.session_id WHERE i.status = 'claimed'
    ), requeued AS (
      UPDATE work_items AS i SET
        status = CASE WHEN i.lost_count < ${limits.lostInARowMax} THEN 'todo' ELSE 'failed' END,
        completed_at = CASE WHEN i.lost_count < ${limits.lostInARowMax} THEN NULL ELSE project.now END,
        failure_reason = CASE WHEN i.lost_count < ${limits.lostInARowMax} THEN i.failure_reason
          ELSE format('Its claim was lost %s times in a row: every agent that took it fell silent. Find out why, then retry it.', i.lost_count + 1) END,
        lost_count = i.lost_count + 1, progress = NULL, progress_note = NULL, ${endClaim}
      FROM lapsed CROSS JOIN project WHERE i.id = lapsed.id AND i.status = 'claimed'
      RETURNING ${event({
        ord: text`0`,
        type: text`CASE WHEN i.status = 'todo' THEN 'item.requeued' ELSE 'item.failed' END`,
        data: text`jsonb_build_object('status', i.status, 'reason', 'lease_expired', 'lost_count', i.lost_count,
          'progress', NULL, 'progress_note', NULL)
          || CASE WHEN i.status = 'todo' THEN '{}' ELSE
            jsonb_build_object('failure_reason', i.failure_reason, 'completed_at', iso(i.completed_at)) END`,
      })}
    ), stopped AS (
      -- Its holder is gone, so it does not work on it any more either.
      UPDATE work_items AS i SET stopping = false, updated_at = project.now, version = i.version + 1
      FROM dead CROSS JOIN project WHERE i.session_id = dead.id AND i.stopping
      RETURNING ${event({
        ord: text`0`,
        type: text`'item.cancel_acknowledged'`,
        data: text`jsonb_build_object('stopping', false, 'reason', 'lease_expired')`,
      })}
    ), changes AS (SELECT * FROM requeued UNION ALL SELECT * FROM stopped)`,
  notes: text`SELECT 0 AS ord, 'more' AS note
    WHERE (SELECT count(*) FROM dead) >= ${pageMax} OR (SELECT count(*) FROM lapsed) >= ${pageMax}`,
});

/**
 * Puts back what its holder let lapse, of at most 100 sessions and 100 leases of claims' own at a time; the note says
 * when there may be more. The whole condition stands in the statement, and it takes the sessions it declares dead: a
 * heartbeat that races it fails with 40001 and finds its claims gone, never half of each. A rescuer that reads first and
 * writes later overwrites finished work (River #1302).
 */
export function sweepLeases(sql: Sql, projectId: string, [entry]: readonly SweepEntry[]): Promise<Outcome[]> {
  return write(sql, sweeping, projectId, [entry!]);
}

const requeueing = mutation({
  columns: text`unused int`,
  operation: text`
    due AS MATERIALIZED (
      SELECT i.id FROM work_items i CROSS JOIN input
      WHERE i.project_id = $1 AND i.retry_at <= clock_timestamp() LIMIT ${pageMax}
    ), changes AS (
      UPDATE work_items AS i SET status = 'todo', retry_at = NULL, completed_at = NULL, progress = NULL, progress_note = NULL,
        updated_at = project.now, version = i.version + 1
      FROM due CROSS JOIN project WHERE i.id = due.id AND i.status = 'failed' AND i.retry_at <= project.now
      RETURNING ${event({
        ord: text`0`,
        type: text`'item.requeued'`,
        data: text`jsonb_build_object('status', i.status, 'reason', 'retry', 'retry_at', NULL, 'completed_at', NULL,
          'progress', NULL, 'progress_note', NULL)`,
      })}
    )`,
  notes: text`SELECT 0 AS ord, 'more' AS note WHERE (SELECT count(*) FROM due) >= ${pageMax}`,
});

/** Puts failed items whose retry has fallen due back into the queue, at most 100 at a time; the note says when there may be more. */
export function requeueDue(sql: Sql, projectId: string): Promise<Outcome[]> {
  return write(sql, requeueing, projectId, [{ actor: 'hub' }]);
}
