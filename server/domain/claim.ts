import type { Fragment, Sql } from '../db/database.ts';
import { event, write, type Entry, type Outcome } from './journal.ts';
import { withFiles } from './held.ts';
import { deniedByFiles } from './wire.ts';

export interface ClaimEntry extends Entry {
  session_id: string;
  /** Added to files_planned, with what the folders and globs among them mean. */
  files: string[];
  patterns: Record<string, unknown>;
  /** Of the claim's own lease; null: the session's alone. */
  lease_seconds: number | null;
}

/** Claims that one item for each entry; of several that want the same item, the first gets it. */
export function claimItems(
  sql: Sql,
  projectId: string,
  entries: readonly (ClaimEntry & { id: string })[],
  leaseSeconds: number,
): Promise<Outcome[]> {
  return write(
    sql,
    projectId,
    entries,
    sql`id uuid, ${claimColumns(sql)}`,
    sql`
    picked AS MATERIALIZED (SELECT DISTINCT ON (id) * FROM input ORDER BY id, ord),
    ${claimPicked(sql, leaseSeconds)}`,
    crowded(sql),
  );
}

export interface ClaimNextEntry extends ClaimEntry {
  /** Only when this claim of the session's is over by now: a completion that asked for the next item in one go. */
  after_id: string | null;
  after_attempt: number | null;
}

/**
 * Claims the first ready item for each entry, in the order of priority and number. All entries of one call ask
 * for the same `taskTypes`. No SKIP LOCKED, which others need here: the project's row is locked, so nobody else picks.
 */
export function claimNext(
  sql: Sql,
  projectId: string,
  entries: readonly ClaimNextEntry[],
  taskTypes: readonly string[] | null,
  leaseSeconds: number,
): Promise<Outcome[]> {
  const ofType = taskTypes ? sql`AND i.task_type = ANY(${taskTypes as string[]})` : sql``;
  // Entries with files of their own come alone (see lanes), so the first one's are everybody's.
  const files = sql`coalesce((SELECT files FROM eligible LIMIT 1), '[]')`;
  const patterns = sql`coalesce((SELECT patterns FROM eligible LIMIT 1), '{}')`;
  return write(
    sql,
    projectId,
    entries,
    sql`after_id uuid, after_attempt int, ${claimColumns(sql)}`,
    sql`
    asking AS MATERIALIZED (
      SELECT input.*, s.capacity - row_number() OVER (PARTITION BY s.id ORDER BY input.ord)
        - (SELECT count(*) FROM work_items h WHERE h.session_id = s.id AND h.status = 'claimed') >= 0 AS has_room
      FROM input JOIN agent_sessions s ON s.id = input.session_id
      WHERE input.after_id IS NULL OR EXISTS (
        SELECT FROM work_items a WHERE a.id = input.after_id AND a.session_id = input.session_id
          AND a.attempt = input.after_attempt AND a.status IN ('done', 'failed'))
    ), eligible AS MATERIALIZED (
      SELECT *, row_number() OVER (ORDER BY ord) AS place FROM asking WHERE has_room
    ), ready AS MATERIALIZED (
      SELECT id, row_number() OVER (ORDER BY priority, number) AS place FROM (
        SELECT i.id, i.priority, i.number FROM work_items i
        WHERE i.project_id = ${projectId} AND i.status = 'todo' AND i.open_blockers = 0 ${ofType}
          AND (${deniedByFiles(sql, { files, patterns })}) IS NOT TRUE
        ORDER BY i.priority, i.number LIMIT (SELECT count(*) FROM eligible)
      ) AS first_ready
    ), picked AS MATERIALIZED (
      SELECT ready.id, eligible.ord, eligible.session_id, eligible.files, eligible.patterns, eligible.lease_seconds
      FROM eligible JOIN ready ON ready.place = eligible.place
    ), ${claimPicked(sql, leaseSeconds)}`,
    sql`
    ${crowded(sql)}
    UNION ALL SELECT ord, 'at_capacity' FROM asking WHERE NOT has_room
    UNION ALL SELECT ord, 'too_early' FROM input WHERE NOT EXISTS (SELECT FROM asking WHERE asking.ord = input.ord)`,
  );
}

const crowded = (sql: Sql) => sql`SELECT ord, 'crowded' AS note FROM judged, crowd WHERE crowded`;

const claimColumns = (sql: Sql) => sql`session_id uuid, files jsonb, patterns jsonb, lease_seconds float8`;

/**
 * The claim itself: one conditional UPDATE over `picked`. Under policy deny two items of one batch could conflict
 * with each other, which neither's condition can see; such a batch claims nothing and is noted as crowded, and its
 * entries come again one by one.
 */
function claimPicked(sql: Sql, leaseSeconds: number): Fragment {
  const lease = sql`least(j.session_lease, project.now + j.lease_seconds * interval '1 second')`;
  return sql`
    judged AS MATERIALIZED (
      SELECT picked.*, s.agent_id,
        coalesce(i.conflict_policy, project.conflict_policy) = 'deny'
          AND (i.files_planned || i.files_modified || picked.files) <> '[]' AS exclusive,
        CASE WHEN s.channel = 'http' THEN NULL
          WHEN s.lease_expires_at > project.now + ${leaseSeconds / 2} * interval '1 second' THEN s.lease_expires_at
          ELSE project.now + ${leaseSeconds} * interval '1 second' END AS session_lease
      FROM picked JOIN agent_sessions s ON s.id = picked.session_id AND s.project_id = (SELECT id FROM project)
      JOIN work_items i ON i.id = picked.id CROSS JOIN project
      WHERE s.channel = 'http' OR s.connection_id IS NOT NULL
    ), crowd AS MATERIALIZED (
      SELECT count(*) > 1 AND bool_or(exclusive) AS crowded FROM judged
    ), renewed AS (
      -- A claim is a sign of life; one that inherited a dying lease would be swept at once.
      UPDATE agent_sessions s SET lease_expires_at = j.session_lease, last_seen_at = project.now
      FROM (SELECT DISTINCT session_id, session_lease FROM judged) j, project
      WHERE s.id = j.session_id AND s.channel = 'socket' AND s.lease_expires_at IS DISTINCT FROM j.session_lease
    ), changes AS (
      UPDATE work_items AS i SET
        status = 'claimed', attempt = i.attempt + 1, assigned_agent_id = j.agent_id, assigned_at = project.now,
        session_id = j.session_id, lease_seconds = j.lease_seconds,
        lease_expires_at = project.now + j.lease_seconds * interval '1 second',
        progress = NULL, progress_note = NULL, updated_at = project.now, version = i.version + 1,
        files_planned = ${withFiles(sql, sql`i.files_planned`, sql`j.files`)},
        file_patterns = i.file_patterns || j.patterns
      FROM judged j CROSS JOIN project
      WHERE i.id = j.id AND i.project_id = project.id AND i.status = 'todo' AND i.open_blockers = 0
        AND NOT (SELECT crowded FROM crowd)
        AND (${deniedByFiles(sql, { files: sql`j.files`, patterns: sql`j.patterns` })}) IS NOT TRUE
      RETURNING i.*, ${event(sql, {
        ord: sql`j.ord`,
        type: 'item.claimed',
        data: sql`jsonb_build_object('status', i.status, 'assigned_agent_id', i.assigned_agent_id,
          'assigned_at', iso(i.assigned_at), 'session_id', i.session_id, 'attempt', i.attempt, 'progress', NULL,
          'progress_note', NULL) || CASE WHEN j.files = '[]' THEN '{}' ELSE jsonb_build_object('files_planned', i.files_planned) END`,
        lease,
      })}
    )`;
}
