import type { Sql } from '../db/database.ts';
import { text, type SqlText } from '../db/text.ts';
import type { Lease } from './sessions.ts';
import { event, mutation, write, type Entry, type Outcome } from './journal.ts';
import { withFiles } from './held.ts';
import { byId, deniedByFiles, sessionById } from './wire.ts';

export interface ClaimEntry extends Entry {
  session_id: string;
  /** Added to files_planned, with what the folders and globs among them mean. */
  files: string[];
  patterns: Record<string, unknown>;
  /** Of the claim's own lease; null: the session's alone. */
  lease_seconds: number | null;
}

const lastsLong = text`coalesce(s.lease_expires_at > project.now + $4::float8 * interval '1 second', false)`;
/** Whose claim it is to be: session `s` of an entry, and the lease it has then. A claim is a sign of life. */
const claimant = text`s.tid AS session_tid, s.agent_id, s.channel = 'socket' AND NOT ${lastsLong} AS renews,
        CASE WHEN s.channel = 'http' THEN NULL WHEN ${lastsLong} THEN s.lease_expires_at
          ELSE project.now + $3::float8 * interval '1 second' END AS session_lease`;
const mayClaim = text`s.project_id = project.id AND (s.channel = 'http' OR s.connection_id IS NOT NULL)`;

/** Whether item `i` shares nothing with anybody: policy deny, and files to be denied for. */
const exclusive = (files: SqlText) => text`coalesce(i.conflict_policy, project.conflict_policy) = 'deny'
          AND (i.files_planned || i.files_modified || ${files}) <> '[]' AS exclusive`;

/**
 * The claim itself: one conditional UPDATE over `judged` (an entry with its claimant, `tid` of the item, exclusive).
 * Under policy deny two items of one batch could conflict with each other, which neither's condition can see; such a
 * batch claims nothing and is noted as crowded, and its entries come again one by one.
 */
const claimJudged = text`
    crowd AS MATERIALIZED (
      SELECT count(*) > 1 AND bool_or(exclusive) AS crowded FROM judged
    ), renewed AS (
      -- One that inherited a dying lease would be swept at once.
      UPDATE agent_sessions s SET lease_expires_at = j.session_lease, last_seen_at = project.now
      FROM judged j, project
      WHERE j.renews AND s.ctid = j.session_tid
    ), changes AS (
      UPDATE work_items AS i SET
        status = 'claimed', attempt = i.attempt + 1, assigned_agent_id = j.agent_id, assigned_at = project.now,
        session_id = j.session_id, lease_seconds = j.lease_seconds,
        lease_expires_at = project.now + j.lease_seconds * interval '1 second',
        progress = NULL, progress_note = NULL, updated_at = project.now, version = i.version + 1,
        files_planned = ${withFiles(text`i.files_planned`, text`j.files`)},
        file_patterns = i.file_patterns || j.patterns
      FROM judged j CROSS JOIN project
      -- As a CASE, for the bare condition is that of an index, and walking all of what is ready would look cheap.
      WHERE i.ctid = j.tid AND CASE
        WHEN (SELECT crowded FROM crowd) THEN false
        WHEN i.status = 'todo' AND i.open_blockers = 0
          THEN NOT ${deniedByFiles({ files: text`j.files`, patterns: text`j.patterns` }, text`project.conflict_policy`)}
        ELSE false END
      RETURNING ${event({
        ord: text`j.ord`,
        type: text`'item.claimed'`,
        data: text`jsonb_build_object('status', i.status, 'assigned_agent_id', i.assigned_agent_id,
          'assigned_at', project.now_iso, 'session_id', i.session_id, 'attempt', i.attempt, 'progress', NULL,
          'progress_note', NULL) || CASE WHEN j.files = '[]' THEN '{}' ELSE jsonb_build_object('files_planned', i.files_planned) END`,
        lease: text`least(j.session_lease, project.now + j.lease_seconds * interval '1 second')`,
        now: ['assigned_at', 'updated_at'],
      })}
    )`;

const crowded = text`SELECT ord, 'crowded' AS note FROM judged, crowd WHERE crowded`;

const claimColumns = text`session_id uuid, files jsonb, patterns jsonb, lease_seconds float8`;

const claiming = mutation({
  columns: text`id uuid, ${claimColumns}`,
  operation: text`
    judged AS MATERIALIZED (
      SELECT DISTINCT ON (input.id) input.*, i.tid, ${claimant}, ${exclusive(text`input.files`)}
      FROM input CROSS JOIN ${sessionById(text`input.session_id`)} s CROSS JOIN ${byId(text`input.id`)} i CROSS JOIN project
      WHERE i.project_id = project.id AND ${mayClaim} ORDER BY input.id, input.ord
    ), ${claimJudged}`,
  notes: crowded,
});

/** Claims that one item for each entry; of several that want the same item, the first gets it. */
export function claimItems(
  sql: Sql,
  projectId: string,
  entries: readonly (ClaimEntry & { id: string })[],
  lease: Lease,
): Promise<Outcome[]> {
  return write(sql, claiming, projectId, entries, [lease.seconds, lease.renewBelowSeconds]);
}

export interface ClaimNextEntry extends ClaimEntry {
  /** Only when this claim of the session's is over by now: a completion that asked for the next item in one go. */
  after_id: string | null;
  after_attempt: number | null;
}

// Entries with files of their own come alone (commands/work.ts), so the first one's are everybody's.
const files = text`$6::text::jsonb`;
const patterns = text`$7::text::jsonb`;

const claimingNext = mutation({
  columns: text`nth int, after_id uuid, after_attempt int, ${claimColumns}`,
  operation: text`
    asking AS MATERIALIZED (
      SELECT input.*, ${claimant}, ${mayClaim} AS may_claim,
        s.capacity - input.nth
          - (SELECT count(*) FROM work_items h WHERE h.session_id = s.id AND h.status = 'claimed') >= 0 AS has_room
      FROM input CROSS JOIN ${sessionById(text`input.session_id`)} s CROSS JOIN project
      WHERE input.after_id IS NULL OR (
        SELECT a.status FROM work_items a WHERE a.id = input.after_id AND a.session_id = input.session_id
          AND a.attempt = input.after_attempt) IN ('done', 'failed')
    ), eligible AS MATERIALIZED (
      SELECT *, row_number() OVER () AS place FROM asking WHERE has_room AND may_claim
    ), ready AS MATERIALIZED (
      -- As arrays, since two lists joined by place are compared pair by pair.
      SELECT array_agg(tid) AS tids, array_agg(exclusive) AS exclusives FROM (
        SELECT i.ctid AS tid, ${exclusive(files)} FROM work_items i CROSS JOIN project
        WHERE i.project_id = $1 AND i.status = 'todo' AND i.open_blockers = 0 AND ($5::text IS NULL OR $5::text::jsonb ? i.task_type)
          AND NOT ${deniedByFiles({ files, patterns }, text`project.conflict_policy`)}
        ORDER BY i.priority, i.number LIMIT (SELECT count(*) FROM eligible)
      ) AS first_ready
    ), judged AS MATERIALIZED (
      SELECT eligible.*, ready.tids[place] AS tid, ready.exclusives[place] AS exclusive FROM eligible CROSS JOIN ready
      WHERE place <= cardinality(ready.tids)
    ), ${claimJudged}`,
  notes: text`
    ${crowded}
    UNION ALL SELECT ord, 'at_capacity' FROM asking WHERE NOT has_room
    UNION ALL SELECT ord, 'too_early' FROM input WHERE NOT EXISTS (SELECT FROM asking WHERE asking.ord = input.ord)`,
});

/**
 * Claims the first ready item for each entry, in the order of priority and number. All entries of one call ask
 * for the same `taskTypes`. No SKIP LOCKED, which others need here: the project's row is locked, so nobody else picks.
 */
export function claimNext(
  sql: Sql,
  projectId: string,
  entries: readonly ClaimNextEntry[],
  taskTypes: readonly string[] | null,
  lease: Lease,
): Promise<Outcome[]> {
  const types = taskTypes ? JSON.stringify(taskTypes) : null;
  const { files, patterns } = entries[0]!;
  const more = [
    lease.seconds,
    lease.renewBelowSeconds,
    types,
    JSON.stringify(files),
    JSON.stringify(patterns),
  ];
  return write(sql, claimingNext, projectId, numbered(entries), more);
}

/** The how manieth of its session's each entry is: together they must not go beyond its capacity. */
function numbered(entries: readonly ClaimNextEntry[]) {
  const counts = new Map<string, number>();
  return entries.map((entry) => {
    const nth = (counts.get(entry.session_id) ?? 0) + 1;
    counts.set(entry.session_id, nth);
    return { ...entry, nth };
  });
}
