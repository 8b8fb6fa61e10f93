import type { EventType } from '@switchyard/shared/item';
import type { Sql } from '../db/database.ts';
import { text, type SqlText } from '../db/text.ts';
import { blockedBy, itemJsonWith, leaseOf, type TimeColumn } from './wire.ts';

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

/** One state change, in two forms: most callers give no request_id, and what is to be remembered costs them nothing. */
export interface Statement {
  plain: SqlText;
  remembering: SqlText;
}

/**
 * Composes one state change as one statement: lock the project, pass over what was answered before, change items,
 * append to the log, remember the answers.
 *
 * `columns` declares the fields of an entry that SQL reads. `operation` is a list of CTEs; it reads `project`
 * (id, last_seq, next_number, conflict_policy, now, now_iso) and `input` (ord, actor, columns …), and ends with one called
 * `changes`: a row for each item changed, made by {@link event}.
 * `notes` (ord, note) says of an entry without rows what the condition was that failed, where the statement knows.
 * Parameters: $1 the project, $2 the entries, from $3 on the operation's own.
 */
export function mutation(parts: Mutation): Statement {
  return { plain: compose(parts, false), remembering: compose(parts, true) };
}

interface Mutation {
  columns: SqlText;
  operation: SqlText;
  notes?: SqlText;
}

function compose({ columns, operation, notes }: Mutation, remembers: boolean): SqlText {
  return text`
    WITH project AS MATERIALIZED (
      SELECT *, iso(now) AS now_iso FROM (
        SELECT id, last_seq, next_number, conflict_policy, clock_timestamp() AS now FROM projects WHERE id = $1 FOR UPDATE) AS locked
    ), ${inputOf(columns, remembers)}, ${operation}, ${conflictChanges}, ${log}${remembers ? remembered : nothing}
    SELECT ord, seq::float8 AS seq, type, at_iso AS at, actor, item_id, attempt, session_id, data::text AS data,
      item::text AS item, conflicts::text AS conflicts, lease_expires_at,
      NULL AS note, false AS known, true AS same, NULL AS answer, NULL AS error
    FROM lines
    ${notes ? notesRows(notes) : nothing}
    ${remembers ? knownRows : nothing}`;
}

const nothing = text``;

/** CTE `input`: the entries, without those that were answered before. */
function inputOf(columns: SqlText, remembers: boolean): SqlText {
  if (!remembers)
    return text`input AS MATERIALIZED (SELECT * FROM jsonb_to_recordset($2) AS input (ord int, actor text, ${columns}))`;
  return text`given AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset($2)
        AS given (ord int, actor text, caller text, request_id text, fingerprint text, ${columns})
    ), known AS MATERIALIZED (
      SELECT given.ord, r.fingerprint = given.fingerprint AS same, r.answer, r.error FROM given CROSS JOIN LATERAL (
        SELECT * FROM requests WHERE caller = given.caller AND request_id = given.request_id OFFSET 0) r
      WHERE given.request_id IS NOT NULL
    ), input AS MATERIALIZED (
      SELECT given.* FROM given, project WHERE NOT EXISTS (SELECT FROM known WHERE known.ord = given.ord)
    )`;
}

const notesRows = (notes: SqlText) => text`UNION ALL
    SELECT ord, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, note, false, true, NULL, NULL
    FROM (${notes}) AS notes`;

const knownRows = text`UNION ALL
    SELECT ord, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, same, answer::text, error::text
    FROM known`;

/** Runs a {@link mutation} for these entries. */
export async function write(
  sql: Sql,
  statement: Statement,
  projectId: string,
  entries: readonly Entry[],
  more: readonly (string | number | null)[] = [],
): Promise<Outcome[]> {
  const given = sql.json(entries.map((entry, ord) => ({ ...entry, ord })));
  const { text } = entries.some((entry) => entry.request_id !== undefined)
    ? statement.remembering
    : statement.plain;
  const rows = await sql.unsafe<ResultRow[]>(text, [projectId, given, ...more], { prepare: true });
  return outcomes(entries.length, rows);
}

const bySeq = (a: LogRow, b: LogRow) => (a.seq ?? 0) - (b.seq ?? 0);

function outcomes(count: number, rows: ResultRow[]): Outcome[] {
  const all: Outcome[] = Array.from({ length: count }, () => ({ kind: 'rows', rows: [], note: null }));
  for (const { known, same, answer, error, note, ...row } of rows) {
    const outcome = all[row.ord];
    if (known) all[row.ord] = replayOf(same, answer, error);
    else if (outcome?.kind === 'rows' && note !== null) outcome.note = note;
    else if (outcome?.kind === 'rows') outcome.rows.push(row);
  }
  for (const outcome of all) if (outcome.kind === 'rows' && outcome.rows.length > 1) outcome.rows.sort(bySeq);
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

interface EventColumns {
  ord: SqlText;
  step?: number | SqlText;
  /** A literal with its quotes, or an expression; null: nothing for the log. */
  type: SqlText;
  data: SqlText;
}

interface ItemEventColumns extends EventColumns {
  blockedBy?: SqlText;
  lease?: SqlText;
  /** The times of the item that are `project.now` by this change. */
  now?: readonly TimeColumn[];
  /** Whether the item can have shared files before the change, or can after it. */
  mayShare?: SqlText;
}

/**
 * What `changes` has of the item that it changed: row `i`, as it is then; `project` is in reach. `blockedBy` and `lease` replace
 * what the statement's snapshot cannot know yet, `mayShare` and `now` what is known to be simpler.
 */
export function event(columns: ItemEventColumns): SqlText {
  const lease = columns.lease ?? leaseOf;
  const item = itemJsonWith({
    blockedBy: columns.blockedBy ?? blockedBy,
    lease,
    policy: text`project.conflict_policy`,
    now: columns.now ?? [],
  });
  // Only an update can take files away; of any other change the row after it says whether there were some.
  const mayShare =
    columns.mayShare ??
    text`i.files_planned <> '[]' OR i.files_modified <> '[]' OR ((${columns.type}) = 'item.updated' AND i.status = 'claimed')`;
  return text`${columns.ord} AS ord, ${columns.step ?? steps.change}::int AS step, (${columns.type})::text AS type,
    i.id AS item_id, i.attempt, i.session_id, ${columns.data} AS data, ${item} AS item, iso(${lease}) AS lease_expires_at,
    CASE WHEN ${mayShare} THEN ${sharing} END AS sharing`;
}

/** The same of a change that is about no item. */
export function eventWithoutItem(columns: EventColumns): SqlText {
  return text`${columns.ord} AS ord, ${steps.change}::int AS step, (${columns.type})::text AS type, NULL::uuid AS item_id,
    NULL::int AS attempt, NULL::uuid AS session_id, ${columns.data} AS data, NULL::json AS item, NULL::text AS lease_expires_at,
    NULL::jsonb AS sharing`;
}

/** The columns of `changes`, by name. */
export const lineColumns = text`ord, step, type, item_id, attempt, session_id, data, item, lease_expires_at, sharing`;

/** What `conflict_changes` in the schema reads of an item. */
const sharing = text`jsonb_build_object('id', i.id, 'number', i.number, 'title', i.title, 'status', i.status,
  'assigned_agent_id', i.assigned_agent_id, 'attempt', i.attempt, 'session_id', i.session_id, 'assigned_at', i.assigned_at,
  'files_planned', i.files_planned, 'files_modified', i.files_modified, 'file_patterns', i.file_patterns)`;

/** What `changes` did to conflicts, in the statement that makes the difference. */
const conflictChanges = text`
    conflict AS MATERIALIZED (
      SELECT * FROM conflict_changes($1, (
        SELECT jsonb_agg(sharing || jsonb_build_object('ord', ord)) FROM changes WHERE sharing IS NOT NULL))
    )`;

/** Numbers the lines without a gap, appends them, raises the project's last_seq. */
const log = text`
    lines AS MATERIALIZED (
      SELECT u.ord, u.step, u.type, u.item_id, u.data, u.item, u.conflicts, u.lease_expires_at, project.now AS at, project.now_iso AS at_iso,
        $2 -> u.ord ->> 'actor' AS actor,
        CASE WHEN u.type IN ('item.created', 'item.updated', 'item.retried') THEN NULL ELSE u.attempt END AS attempt,
        CASE WHEN u.type IN ('item.created', 'item.updated', 'item.retried') THEN NULL ELSE u.session_id END AS session_id,
        CASE WHEN u.type IS NOT NULL THEN project.last_seq
          + count(u.type) OVER (ORDER BY u.ord, u.step, u.item_id, u.type ROWS UNBOUNDED PRECEDING) END AS seq
      FROM (
        SELECT ord, step, type, item_id, attempt, session_id, data, item, lease_expires_at,
          (SELECT conflict.conflicts FROM conflict WHERE conflict.item_id = changes.item_id AND conflict.type IS NULL) AS conflicts
        FROM changes
        UNION ALL
        SELECT ord, ${steps.conflicts}, type, item_id, attempt, session_id, data, NULL, NULL, NULL FROM conflict WHERE type IS NOT NULL
      ) AS u CROSS JOIN project
    ), logged AS (
      INSERT INTO events (project_id, seq, type, at, actor, item_id, attempt, session_id, data)
      SELECT $1::uuid, seq, type, at, actor, item_id, attempt, session_id, data FROM lines WHERE seq IS NOT NULL
    ), raised AS (
      UPDATE projects SET last_seq = added.last_seq, next_number = next_number + added.items
      FROM (SELECT max(seq) AS last_seq, count(*) FILTER (WHERE type = 'item.created')::int AS items FROM lines) AS added
      WHERE id = $1 AND added.last_seq IS NOT NULL
    )`;

const remembered = text`, remembered AS (
      INSERT INTO requests (caller, request_id, fingerprint, answer)
      SELECT input.caller, input.request_id, input.fingerprint, json_agg(json_build_object(
        'ord', l.ord, 'seq', l.seq, 'type', l.type, 'at', l.at_iso, 'actor', l.actor, 'item_id', l.item_id,
        'attempt', l.attempt, 'session_id', l.session_id, 'data', l.data::text, 'item', l.item::text,
        'conflicts', l.conflicts::text, 'lease_expires_at', l.lease_expires_at) ORDER BY l.seq NULLS FIRST)
      FROM lines l JOIN input ON input.ord = l.ord
      WHERE input.request_id IS NOT NULL
      GROUP BY 1, 2, 3
    )`;
