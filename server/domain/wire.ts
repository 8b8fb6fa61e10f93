import type { Fragment, Sql } from '../db/database.ts';
import { text, within, type SqlText } from '../db/text.ts';

/** What PostgreSQL wrote as JSON text: an item, a change, conflicts. */
export function raw<T>(json: string): T {
  return JSON.parse(json) as T;
}

/**
 * The row of work_items with this id, as a lateral join. Statements are planned once, perhaps while a table is small,
 * and what pays then (hashing all claims there are) would stay for ever. OFFSET 0 keeps it at one look-up by key for
 * each row; `tid` is the quickest way back to the row for an UPDATE, and safe while the project is locked.
 */
export const byId = (id: SqlText): SqlText =>
  text`LATERAL (SELECT w.ctid AS tid, w.* FROM work_items w WHERE w.id = ${id} OFFSET 0)`;

/** The same for a session. */
export const sessionById = (id: SqlText): SqlText =>
  text`LATERAL (SELECT s.ctid AS tid, s.* FROM agent_sessions s WHERE s.id = ${id} OFFSET 0)`;

/** The lease of claim `i`: its own or its session's, whichever ends first. */
export const leaseOf = text`
  CASE WHEN i.status = 'claimed' THEN
    least(i.lease_expires_at, (SELECT s.lease_expires_at FROM agent_sessions s WHERE s.id = i.session_id)) END`;

/** Of an item that is no claim now. */
export const noLease = text`NULL::timestamptz`;

/** Ids of what holds `i` back, in the snapshot of the statement: dependencies not done, open children. */
export const blockedBy = text`CASE WHEN i.open_blockers = 0 THEN '[]'::jsonb ELSE blocked_by(i.id) END`;

/**
 * The same without what this very statement takes away. Ends of dependencies and of children are told apart: one item
 * may be both, and be only one of them less.
 */
export function blockedByAllBut(but: { dependencies?: SqlText; children?: SqlText }): SqlText {
  const none = text`SELECT NULL::uuid WHERE false`;
  return text`CASE WHEN i.open_blockers = 0 THEN '[]'::jsonb
    ELSE blocked_by(i.id, ARRAY(${but.dependencies ?? none}), ARRAY(${but.children ?? none})) END`;
}

/** The same with those of `added`, which may hold it back already in the other way. */
export const blockedByAnd = (added: SqlText): SqlText => text`
  (SELECT coalesce(jsonb_agg(DISTINCT every.blocker), '[]') FROM jsonb_array_elements_text(${blockedBy} || coalesce(${added}, '[]')) AS every (blocker))`;

interface MoreFiles {
  files: SqlText;
  patterns: SqlText;
}

const policyOfProject = text`(SELECT p.conflict_policy FROM projects p WHERE p.id = i.project_id)`;

/**
 * Would claiming `i`, with these files added to its plan, be refused for its files? Only asked under policy deny,
 * the item's own or else its project's. What costs least to know comes first.
 */
export function deniedByFiles(more?: MoreFiles, policy = policyOfProject): SqlText {
  const planned = more ? text`i.files_planned || ${more.files}` : text`i.files_planned`;
  const patterns = more ? text`i.file_patterns || ${more.patterns}` : text`i.file_patterns`;
  return text`
    CASE WHEN ${planned} = '[]' AND i.files_modified = '[]' THEN false
    WHEN coalesce(i.conflict_policy, ${policy}) <> 'deny' THEN false
    ELSE conflicts_with_claims(i.project_id, i.id, ${planned}, i.files_modified, ${patterns}) END`;
}

const readyUnder = (policy: SqlText) => text`
  CASE WHEN i.status = 'todo' AND i.open_blockers = 0 THEN NOT ${deniedByFiles(undefined, policy)} ELSE false END`;

/**
 * Whether `i` is ready, for many items of one project. Its policy is looked up once, and where that is not deny the files need no look
 * at all: 100,000 items took 60 ms instead of 200. Plain conditions first, which are those of an index.
 */
export const isReady = (sql: Sql, projectId: string): Fragment => sql`
  (i.status = 'todo' AND i.open_blockers = 0 AND CASE
    WHEN coalesce(i.conflict_policy, (SELECT p.conflict_policy FROM projects p WHERE p.id = ${projectId})) <> 'deny' THEN true
    ELSE NOT ${within(sql, deniedByFiles())} END)`;

/** The times of an item that a change sets to its own time. */
export type TimeColumn = 'assigned_at' | 'created_at' | 'updated_at' | 'completed_at';

interface Derived {
  blockedBy: SqlText;
  lease: SqlText;
  /** The project's. */
  policy: SqlText;
  /** Times that are `project.now` here: that is written out once for a statement, as each costs 0.8 µs. */
  now?: readonly TimeColumn[];
}

/**
 * Row `i` of work_items as the wire has it, and without blanks, as it goes out as it is; json_build_object took a
 * quarter longer. `derived` replaces what the statement's snapshot cannot know yet, or has at hand.
 */
export function itemJsonWith(derived: Derived): SqlText {
  const time = (name: TimeColumn, column: SqlText) =>
    derived.now?.includes(name) ? text`project.now_iso AS ${column}` : text`iso(i.${column}) AS ${column}`;
  return text`(SELECT row_to_json(wire) FROM (SELECT
    i.id, i.project_id, i.number, i.parent_item_id, i.title, i.description, i.task_type, i.status,
    i.priority, i.assigned_agent_id, ${time('assigned_at', text`assigned_at`)}, i.session_id, i.attempt,
    i.max_attempts, i.failure_count, i.lost_count, iso(${derived.lease}) AS lease_expires_at, i.progress,
    i.progress_note, i.files_planned, i.files_modified, i.conflict_policy, i.dependencies,
    ${derived.blockedBy} AS blocked_by, ${readyUnder(derived.policy)} AS ready, i.stopping,
    iso(i.retry_at) AS retry_at, i.estimated_hours, i.result_summary, i.failure_reason,
    ${time('created_at', text`created_at`)}, ${time('updated_at', text`updated_at`)}, ${time('completed_at', text`completed_at`)},
    i.metadata, i.version) AS wire)`;
}

export const itemJson = itemJsonWith({ blockedBy, lease: leaseOf, policy: policyOfProject });
