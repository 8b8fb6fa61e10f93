import type { EventType } from '@switchyard/shared/item';
import type { Sql } from '../db/database.ts';
import { text, type SqlText } from '../db/text.ts';
import { blockedBy, byId, dependenciesOf, itemJsonWith, leaseOf } from './wire.ts';

/**
 * One change that somebody asked for. A statement takes many at once: they go to SQL as one JSON array,
 * and `ord`, their place in it, leads from each row of the result back to who asked.
 */
export interface Entry {
  /** Who: an agent_id, a token's label, or "hub". */
  actor: string;
  /** Whose request_ids these are, and which; absent when the caller gave none. */
  caller?: string | undefined;
  request_id?: string | undefined;
  /** Of the command and its input: the same request_id with other words is a mistake. */
  fingerprint?: string | undefined;
}

/** One line of a project's log and, for whoever caused it, the item after it. JSON columns are text. */
export interface LogRow {
  ord: number;
  /** Null: the item was touched in a way that is no event, such as a lease renewed. */
  seq: number | null;
  type: EventType | null;
  at: string;
  actor: string;
  item_id: string | null;
  attempt: number | null;
  session_id: string | null;
  data: string;
  item: string | null;
  /** For a claim: its conflicts as they now stand, and the end of its lease. */
  conflicts: string | null;
  lease_expires_at: string | null;
}

/** What one entry came to: its rows, none when its condition did not hold, or what it was answered before. */
export type Outcome = { kind: 'rows'; rows: LogRow[]; note: string | null } | Replay;

/** `rows`, or another answer as it was given, or the refusal; `same`: whether it was the same request. */
export interface Replay {
  kind: 'replay';
  same: boolean;
  rows: LogRow[] | null;
  answer: unknown;
  error: string | null;
}

interface ResultRow extends LogRow {
  note: string | null;
  known: boolean;
  same: boolean;
  answer: string | null;
  error: string | null;
}

/**
 * Composes one state change as one statement: lock the project, pass over what was answered before, change items,
 * append to the log, remember the answers.
 *
 * `columns` declares the fields of an entry that SQL reads. `operation` is a list of CTEs; it reads `project`
 * (id, last_seq, next_number, conflict_policy, now) and `input` (ord, actor, columns …), and ends with one called
 * `changes`: rows of work_items as they are after the change, followed by the ev_ columns of {@link event}.
 * `notes` (ord, note) says of an entry without rows what the condition was that failed, where the statement knows.
 * Parameters: $1 the project, $2 the entries, from $3 on the operation's own.
 */
export function mutation({ columns, operation, notes = noNotes }: Mutation): SqlText {
  return text`
    WITH project AS MATERIALIZED (
      SELECT id, last_seq, next_number, conflict_policy, clock_timestamp() AS now FROM projects WHERE id = $1 FOR UPDATE
    ), given AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset($2)
        AS given (ord int, actor text, caller text, request_id text, fingerprint text, ${columns})
    ), known AS MATERIALIZED (
      SELECT given.ord, r.fingerprint = given.fingerprint AS same, r.answer, r.error FROM given CROSS JOIN LATERAL (
        SELECT * FROM requests WHERE caller = given.caller AND request_id = given.request_id OFFSET 0) r
      WHERE given.request_id IS NOT NULL
    ), input AS MATERIALIZED (
      SELECT given.* FROM given, project WHERE NOT EXISTS (SELECT FROM known WHERE known.ord = given.ord)
    ), ${operation}, ${conflictChanges}, ${log}
    SELECT ord, seq::float8 AS seq, type, iso(at) AS at, actor, item_id, attempt, session_id, data::text AS data,
      item::text AS item, conflicts::text AS conflicts, lease_expires_at,
      NULL AS note, false AS known, true AS same, NULL AS answer, NULL AS error
    FROM lines
    UNION ALL
    SELECT ord, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, note, false, true, NULL, NULL
    FROM (${notes}) AS notes
    UNION ALL
    SELECT ord, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, same, answer::text, error::text
    FROM known
    ORDER BY seq NULLS FIRST`;
}

interface Mutation {
  columns: SqlText;
  operation: SqlText;
  notes?: SqlText;
}

const noNotes = text`SELECT NULL::int AS ord, NULL AS note WHERE false`;

/** Runs a {@link mutation} for these entries. */
export async function write(
  sql: Sql,
  statement: SqlText,
  projectId: string,
  entries: readonly Entry[],
  more: readonly (string | number | null)[] = [],
): Promise<Outcome[]> {
  const given = sql.json(entries.map((entry, ord) => ({ ...entry, ord })));
  const rows = await sql.unsafe<ResultRow[]>(statement.text, [projectId, given, ...more], { prepare: true });
  return outcomes(entries.length, rows);
}

function outcomes(count: number, rows: ResultRow[]): Outcome[] {
  const all: Outcome[] = Array.from({ length: count }, () => ({ kind: 'rows', rows: [], note: null }));
  for (const { known, same, answer, error, note, ...row } of rows) {
    const outcome = all[row.ord];
    if (known) all[row.ord] = replayOf(same, answer, error);
    else if (outcome?.kind === 'rows' && note !== null) outcome.note = note;
    else if (outcome?.kind === 'rows') outcome.rows.push(row);
  }
  return all;
}

/** Statements remember their rows; what else was answered, and every refusal, is remembered by `domain/requests.ts`. */
function replayOf(same: boolean, answer: string | null, error: string | null): Replay {
  const said: unknown = answer === null ? null : JSON.parse(answer);
  const rows = Array.isArray(said) ? (said as LogRow[]) : null;
  return { kind: 'replay', same, rows, answer: rows ? null : said, error };
}

/** What follows what among the events of one entry: the change, what it did to relatives, what to conflicts. */
export const steps = { change: 0, relatives: 1_000_000, conflicts: 2_000_000 } as const;

/** The ev_ columns that every row of `changes` ends with. */
export function event(columns: {
  ord: SqlText;
  step?: number | SqlText;
  /** A literal with its quotes, or an expression; null: nothing for the log. */
  type: SqlText;
  data: SqlText;
  blockedBy?: SqlText;
  dependencies?: SqlText;
  lease?: SqlText;
}): SqlText {
  const absent = text`NULL::jsonb`;
  return text`${columns.ord} AS ev_ord, ${columns.step ?? steps.change}::int AS ev_step, (${columns.type})::text AS ev_type,
    ${columns.data} AS ev_data, ${columns.blockedBy ?? absent} AS ev_blocked_by,
    ${columns.dependencies ?? absent} AS ev_dependencies, ${columns.lease ?? text`NULL::timestamptz`} AS ev_lease`;
}

const hasFiles = (row: SqlText) => text`(${row}.files_planned <> '[]' OR ${row}.files_modified <> '[]')`;

const claimColumns = (row: SqlText) => text`
  ${row}.id, ${row}.number, ${row}.title, ${row}.assigned_agent_id, ${row}.attempt, ${row}.session_id, ${row}.assigned_at,
  ${row}.files_planned, ${row}.files_modified, ${row}.file_patterns,
  ARRAY(SELECT jsonb_array_elements_text(${row}.files_planned || ${row}.files_modified)) AS paths`;

/** Pairs of live claims of which one was changed: `own` side changed, `other` any. Cheap tests first. */
const overlapsBetween = (own: SqlText) => text`
  SELECT a.id AS a_id, b.id AS b_id, overlap.shared, greatest(a.assigned_at, b.assigned_at) AS since
  FROM ${own} a
  JOIN (SELECT *, true AS outside FROM others UNION ALL SELECT *, false FROM ${own}) b ON b.outside OR a.id < b.id
  CROSS JOIN LATERAL (
    SELECT CASE
      WHEN a.file_patterns <> '{}' OR b.file_patterns <> '{}' OR (b.files_planned || b.files_modified) ?| a.paths
      THEN shared_files(a.files_planned, a.files_modified, a.file_patterns, b.files_planned, b.files_modified, b.file_patterns)
    END AS shared OFFSET 0) overlap
  WHERE overlap.shared IS NOT NULL`;

const c_id = text`c.id`;
const w = text`w`;
const c = text`c`;

/**
 * What `changes` did to the conflicts of the project. A conflict is never stored: it is what two live claims share,
 * so those before (the snapshot) and those after (`changes`) are compared, in the statement that makes the difference.
 */
const conflictChanges = text`
    was AS MATERIALIZED (
      SELECT ${claimColumns(w)} FROM changes c CROSS JOIN ${byId(c_id)} w
      WHERE w.status = 'claimed' AND ${hasFiles(w)}
    ), is_now AS MATERIALIZED (
      SELECT ${claimColumns(c)} FROM changes c WHERE c.status = 'claimed' AND ${hasFiles(c)}
    ), others AS MATERIALIZED (
      SELECT ${claimColumns(w)} FROM work_items w
      WHERE w.project_id = $1 AND w.status = 'claimed' AND ${hasFiles(w)}
        AND (EXISTS (SELECT FROM was) OR EXISTS (SELECT FROM is_now))
        AND NOT EXISTS (SELECT FROM changes c WHERE c.id = w.id)
    ), overlaps_before AS MATERIALIZED (${overlapsBetween(text`was`)}
    ), overlaps_now AS MATERIALIZED (${overlapsBetween(text`is_now`)}
    ), parties AS MATERIALIZED (
      SELECT * FROM others UNION ALL SELECT * FROM is_now
      UNION ALL SELECT * FROM was WHERE NOT EXISTS (SELECT FROM is_now WHERE is_now.id = was.id)
    ), conflict_lines AS (
      SELECT 'conflict.detected' AS type, n.* FROM overlaps_now n
      LEFT JOIN overlaps_before o ON o.a_id = n.a_id AND o.b_id = n.b_id
      WHERE o.shared IS NULL OR NOT ((o.shared -> 'files') @> (n.shared -> 'files')) OR o.shared -> 'kind' <> n.shared -> 'kind'
      UNION ALL
      SELECT 'conflict.resolved', o.* FROM overlaps_before o
      WHERE NOT EXISTS (SELECT FROM overlaps_now n WHERE n.a_id = o.a_id AND n.b_id = o.b_id)
    ), conflicts_of AS MATERIALIZED (
      SELECT id, json_agg(json_build_object('work_item_id', p.other_id, 'number', p.number, 'title', p.title,
        'agent_id', p.assigned_agent_id, 'conflicting_files', p.shared -> 'files', 'kind', p.shared -> 'kind',
        'since', iso(p.since)) ORDER BY p.number) AS conflicts
      FROM (
        SELECT n.a_id AS id, b.id AS other_id, b.number, b.title, b.assigned_agent_id, n.shared, n.since
        FROM overlaps_now n JOIN parties b ON b.id = n.b_id
        UNION ALL
        SELECT n.b_id, a.id, a.number, a.title, a.assigned_agent_id, n.shared, n.since
        FROM overlaps_now n JOIN parties a ON a.id = n.a_id
      ) AS p GROUP BY id
    )`;

const party = (row: SqlText) => text`jsonb_build_object(
  'work_item_id', ${row}.id, 'number', ${row}.number, 'title', ${row}.title, 'agent_id', ${row}.assigned_agent_id,
  'attempt', ${row}.attempt, 'session_id', ${row}.session_id)`;

const itemAfter = itemJsonWith({
  blockedBy: text`coalesce(i.ev_blocked_by, ${blockedBy})`,
  dependencies: text`coalesce(i.ev_dependencies, ${dependenciesOf})`,
  lease: text`coalesce(i.ev_lease, ${leaseOf})`,
});

/** Numbers the lines without a gap, appends them, raises the project's last_seq, remembers answers by request_id. */
const log = text`
    unnumbered AS MATERIALIZED (
      SELECT i.ev_ord AS ord, i.ev_step AS step, i.ev_type AS type, i.id AS item_id,
        CASE WHEN i.ev_type IN ('item.created', 'item.updated', 'item.retried') THEN NULL ELSE i.attempt END AS attempt,
        CASE WHEN i.ev_type IN ('item.created', 'item.updated', 'item.retried') THEN NULL ELSE i.session_id END AS session_id,
        i.ev_data AS data,
        CASE WHEN i.id IS NOT NULL THEN ${itemAfter} END AS item,
        (SELECT conflicts FROM conflicts_of WHERE conflicts_of.id = i.id) AS conflicts,
        iso(coalesce(i.ev_lease, ${leaseOf})) AS lease_expires_at
      FROM changes i
      UNION ALL
      SELECT (SELECT max(ev_ord) FROM changes c WHERE c.id IN (l.a_id, l.b_id)), ${steps.conflicts}, l.type,
        l.a_id, a.attempt, a.session_id,
        jsonb_build_object('items', jsonb_build_array(${party(text`a`)}, ${party(text`b`)}),
          'conflicting_files', l.shared -> 'files', 'kind', l.shared -> 'kind', 'since', iso(l.since)),
        NULL, NULL, NULL
      FROM conflict_lines l JOIN parties a ON a.id = l.a_id JOIN parties b ON b.id = l.b_id
    ), lines AS MATERIALIZED (
      SELECT u.ord, u.step, u.type, u.item_id, u.attempt, u.session_id, u.data, u.item, u.conflicts, u.lease_expires_at,
        project.now AS at, input.actor,
        CASE WHEN u.type IS NOT NULL THEN project.last_seq
          + count(u.type) OVER (ORDER BY u.ord, u.step, u.item_id, u.type ROWS UNBOUNDED PRECEDING) END AS seq
      FROM unnumbered u JOIN input ON input.ord = u.ord CROSS JOIN project
    ), logged AS (
      INSERT INTO events (project_id, seq, type, at, actor, item_id, attempt, session_id, data)
      SELECT $1::uuid, seq, type, at, actor, item_id, attempt, session_id, data FROM lines WHERE seq IS NOT NULL
    ), raised AS (
      UPDATE projects SET last_seq = (SELECT max(seq) FROM lines),
        next_number = next_number + (SELECT count(*) FROM lines WHERE type = 'item.created')::int
      WHERE id = $1 AND EXISTS (SELECT FROM lines WHERE seq IS NOT NULL)
    ), remembered AS (
      INSERT INTO requests (caller, request_id, fingerprint, answer)
      SELECT input.caller, input.request_id, input.fingerprint, json_agg(json_build_object(
        'ord', l.ord, 'seq', l.seq, 'type', l.type, 'at', iso(l.at), 'actor', l.actor, 'item_id', l.item_id,
        'attempt', l.attempt, 'session_id', l.session_id, 'data', l.data::text, 'item', l.item::text,
        'conflicts', l.conflicts::text, 'lease_expires_at', l.lease_expires_at) ORDER BY l.seq NULLS FIRST)
      FROM lines l JOIN input ON input.ord = l.ord
      WHERE input.request_id IS NOT NULL
      GROUP BY 1, 2, 3
    )`;
