import type { Fragment, Sql } from '../db/database.ts';

/** What PostgreSQL wrote as JSON text: an item, a change, conflicts. */
export function raw<T>(text: string): T {
  return JSON.parse(text) as T;
}

/** The lease of claim `i`: its own or its session's, whichever ends first. */
export const leaseOf = (sql: Sql): Fragment => sql`
  CASE WHEN i.status = 'claimed' THEN
    least(i.lease_expires_at, (SELECT s.lease_expires_at FROM agent_sessions s WHERE s.id = i.session_id)) END`;

/** Ids of what holds `i` back, in the snapshot of the statement: dependencies not done, open children; `but` not these. */
export const blockedBy = (sql: Sql, but: Fragment = sql`SELECT NULL::uuid WHERE false`): Fragment => sql`
  CASE WHEN i.open_blockers = 0 THEN '[]'::jsonb ELSE (
    SELECT coalesce(jsonb_agg(blocker.id ORDER BY blocker.number), '[]') FROM (
      SELECT w.id, w.number FROM work_item_dependencies d JOIN work_items w ON w.id = d.depends_on_id
      WHERE d.item_id = i.id AND w.status <> 'done' AND w.id NOT IN (${but})
      UNION
      SELECT w.id, w.number FROM work_items w
      WHERE w.parent_item_id = i.id AND w.status IN ('todo', 'claimed', 'failed') AND w.id NOT IN (${but})
    ) AS blocker) END`;

export const dependenciesOf = (sql: Sql): Fragment => sql`
  coalesce((SELECT jsonb_agg(d.depends_on_id ORDER BY d.position) FROM work_item_dependencies d WHERE d.item_id = i.id), '[]')`;

interface MoreFiles {
  files: Fragment;
  patterns: Fragment;
}

/**
 * Would claiming `i`, with these files added to its plan, be refused for its files? Only asked under policy deny,
 * the item's own or else its project's.
 */
export function deniedByFiles(sql: Sql, more?: MoreFiles): Fragment {
  const planned = more ? sql`i.files_planned || ${more.files}` : sql`i.files_planned`;
  const patterns = more ? sql`i.file_patterns || ${more.patterns}` : sql`i.file_patterns`;
  return sql`
    coalesce(i.conflict_policy, (SELECT p.conflict_policy FROM projects p WHERE p.id = i.project_id)) = 'deny'
    AND (${planned} <> '[]' OR i.files_modified <> '[]')
    AND EXISTS (
      SELECT FROM work_items o WHERE o.project_id = i.project_id AND o.status = 'claimed' AND o.id <> i.id
        AND shared_files(${planned}, i.files_modified, ${patterns},
                         o.files_planned, o.files_modified, o.file_patterns) IS NOT NULL)`;
}

export const readyNow = (sql: Sql): Fragment => sql`
  CASE WHEN i.status = 'todo' AND i.open_blockers = 0 THEN (${deniedByFiles(sql)}) IS NOT TRUE ELSE false END`;

interface Derived {
  dependencies?: Fragment;
  blockedBy?: Fragment;
  lease?: Fragment;
}

/** Row `i` of work_items as the wire has it. `derived` replaces what the statement's snapshot cannot know yet. */
export function itemJson(sql: Sql, derived: Derived = {}): Fragment {
  return sql`json_build_object(
    'id', i.id, 'project_id', i.project_id, 'number', i.number, 'parent_item_id', i.parent_item_id,
    'title', i.title, 'description', i.description, 'task_type', i.task_type, 'status', i.status,
    'priority', i.priority, 'assigned_agent_id', i.assigned_agent_id, 'assigned_at', iso(i.assigned_at),
    'session_id', i.session_id, 'attempt', i.attempt, 'max_attempts', i.max_attempts,
    'failure_count', i.failure_count, 'lost_count', i.lost_count,
    'lease_expires_at', iso(${derived.lease ?? leaseOf(sql)}),
    'progress', i.progress, 'progress_note', i.progress_note,
    'files_planned', i.files_planned, 'files_modified', i.files_modified, 'conflict_policy', i.conflict_policy,
    'dependencies', ${derived.dependencies ?? dependenciesOf(sql)},
    'blocked_by', ${derived.blockedBy ?? blockedBy(sql)},
    'ready', ${readyNow(sql)}, 'stopping', i.stopping, 'retry_at', iso(i.retry_at),
    'estimated_hours', i.estimated_hours, 'result_summary', i.result_summary, 'failure_reason', i.failure_reason,
    'created_at', iso(i.created_at), 'updated_at', iso(i.updated_at), 'completed_at', iso(i.completed_at),
    'metadata', i.metadata, 'version', i.version)`;
}
