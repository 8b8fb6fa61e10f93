import type { Sql } from '../db/database.ts';
import { text, type SqlText } from '../db/text.ts';
import { event, mutation, steps, write, type Entry, type Outcome } from './journal.ts';
import { blockedBy, noLease } from './wire.ts';

/** An item about to be: ids are made by the hub, so links within one array are plain ids by now. */
export interface NewItem {
  id: string;
  title: string;
  description: string | null;
  task_type: string | null;
  priority: number;
  parent_item_id: string | null;
  dependencies: string[];
  files_planned: string[];
  file_patterns: Record<string, unknown>;
  estimated_hours: number | null;
  max_attempts: number;
  conflict_policy: 'warn' | 'deny' | null;
  metadata: Record<string, unknown>;
  status: 'todo' | 'done' | 'cancelled';
  result_summary: string | null;
}

export interface CreateEntry extends Entry {
  items: NewItem[];
}

const createdData = (blockers: SqlText) => text`jsonb_strip_nulls(jsonb_build_object(
  'number', i.number, 'title', i.title, 'description', i.description, 'task_type', i.task_type,
  'status', i.status, 'priority', i.priority, 'parent_item_id', i.parent_item_id,
  'dependencies', i.dependencies, 'blocked_by', ${blockers}, 'files_planned', i.files_planned,
  'estimated_hours', i.estimated_hours, 'max_attempts', i.max_attempts, 'conflict_policy', i.conflict_policy,
  'result_summary', i.result_summary, 'progress', i.progress, 'completed_at', iso(i.completed_at)))
  || jsonb_build_object('metadata', i.metadata)`;

/** What holds each new item back, and which existing parents would come to wait for themselves. */
const cycles = text`
  done_already AS MATERIALIZED (
    SELECT id FROM known_target WHERE status = 'done' UNION ALL SELECT id FROM fresh WHERE status = 'done'
  ), waits AS MATERIALIZED (
    SELECT item_id AS id, target_id AS on_id FROM link WHERE target_id NOT IN (SELECT id FROM done_already)
    UNION ALL SELECT parent_item_id, id FROM fresh WHERE status = 'todo' AND parent_item_id IS NOT NULL
  ), blockers AS MATERIALIZED (
    SELECT f.id, count(w.on_id)::int AS count,
      coalesce(jsonb_agg(DISTINCT w.on_id) FILTER (WHERE w.on_id IS NOT NULL), '[]') AS blockers
    FROM fresh f LEFT JOIN waits w ON w.id = f.id GROUP BY f.id
  ), walk AS (
    WITH RECURSIVE reach AS (
      SELECT k.id AS start_id, f.id FROM known_target k JOIN fresh f ON f.parent_item_id = k.id
      WHERE EXISTS (SELECT FROM link l JOIN known_target t ON t.id = l.target_id)
      UNION
      SELECT reach.start_id, next.id FROM reach CROSS JOIN LATERAL (
        SELECT l.target_id AS id FROM link l WHERE l.item_id = reach.id
        UNION ALL SELECT f.id FROM fresh f WHERE f.parent_item_id = reach.id
        UNION ALL SELECT d.depends_on_id FROM work_item_dependencies d WHERE d.item_id = reach.id
        UNION ALL SELECT w.id FROM work_items w WHERE w.parent_item_id = reach.id
      ) AS next
    ) SELECT * FROM reach
  ), cycle AS MATERIALIZED (
    SELECT DISTINCT start_id AS id FROM walk WHERE start_id = id
  )`;

const names = text`
  id, title, description, task_type, priority, parent_item_id, dependencies, files_planned, file_patterns,
  estimated_hours, max_attempts, conflict_policy, metadata, status, result_summary`;

const itemColumns = text`
  id uuid, title text, description text, task_type text, priority int, parent_item_id uuid, dependencies jsonb,
  files_planned jsonb, file_patterns jsonb, estimated_hours float8, max_attempts int, conflict_policy text,
  metadata jsonb, status text, result_summary text`;

const fresh = text`
    fresh AS MATERIALIZED (
      SELECT item.* FROM input CROSS JOIN ROWS FROM (
        jsonb_to_recordset(input.items) AS (${itemColumns})) WITH ORDINALITY AS item (${names}, place)
    )`;

/** `from` is `fresh f` and what may hold it back; `blockers` says how much does. */
const made = (blockers: SqlText, from: SqlText) => text`
    made AS (
      INSERT INTO work_items AS i (id, project_id, number, title, description, task_type, priority, parent_item_id,
        dependencies, files_planned, file_patterns, estimated_hours, max_attempts, conflict_policy, metadata, status,
        result_summary, progress, completed_at, open_blockers, created_at, updated_at)
      SELECT f.id, project.id, project.next_number + f.place - 1, f.title, f.description, f.task_type, f.priority,
        f.parent_item_id, f.dependencies, f.files_planned, f.file_patterns, f.estimated_hours, f.max_attempts,
        f.conflict_policy, f.metadata, f.status, f.result_summary, CASE WHEN f.status = 'done' THEN 100 END,
        CASE WHEN f.status <> 'todo' THEN project.now END, ${blockers}, project.now, project.now
      FROM ${from} CROSS JOIN project
      RETURNING i.*
    )`;

/** The line of each item `i` of `made`. */
const created = (blockers: SqlText) =>
  event({
    ord: text`0`,
    step: text`i.number - project.next_number`,
    type: text`'item.created'`,
    data: createdData(blockers),
    blockedBy: blockers,
    lease: noLease,
    now: ['created_at', 'updated_at'],
  });

/** Most items come without links, and then there is nothing to look up: a third of the time. */
const creatingUnlinked = mutation({
  columns: text`items jsonb`,
  operation: text`${fresh}, ${made(text`0`, text`fresh f`)}, changes AS (
      SELECT ${created(text`'[]'::jsonb`)} FROM made i CROSS JOIN project
    )`,
});

const creatingLinked = mutation({
  columns: text`items jsonb`,
  operation: text`${fresh}, link AS MATERIALIZED (
      SELECT fresh.id AS item_id, target::uuid AS target_id
      FROM fresh CROSS JOIN jsonb_array_elements_text(fresh.dependencies) AS d (target)
    ), outward AS MATERIALIZED (
      SELECT target_id AS id FROM link UNION SELECT parent_item_id FROM fresh WHERE parent_item_id IS NOT NULL
      EXCEPT SELECT id FROM fresh
    ), known_target AS MATERIALIZED (
      SELECT i.id, i.status FROM work_items i JOIN outward USING (id) WHERE i.project_id = $1
    ), missing AS MATERIALIZED (
      SELECT id FROM outward EXCEPT SELECT id FROM known_target
    ), ${cycles}, ${made(
      text`b.count`,
      text`(SELECT * FROM fresh WHERE NOT EXISTS (SELECT FROM missing) AND NOT EXISTS (SELECT FROM cycle)) AS f
        JOIN blockers b ON b.id = f.id`,
    )}, linked AS (
      INSERT INTO work_item_dependencies (item_id, depends_on_id)
      SELECT item_id, target_id FROM link WHERE EXISTS (SELECT FROM made)
    ), heavier AS MATERIALIZED (
      SELECT parent_item_id AS id, count(*)::int AS count, jsonb_agg(id ORDER BY number) AS added
      FROM made WHERE status = 'todo' AND parent_item_id NOT IN (SELECT id FROM fresh) GROUP BY 1
    ), parents AS (
      UPDATE work_items AS i SET open_blockers = i.open_blockers + heavier.count, updated_at = project.now, version = i.version + 1
      FROM heavier CROSS JOIN project WHERE i.id = heavier.id
      RETURNING ${event({
        ord: text`0`,
        step: steps.relatives,
        type: text`'item.updated'`,
        data: text`jsonb_build_object('blocked_by', ${blockedBy} || heavier.added)`,
        blockedBy: text`${blockedBy} || heavier.added`,
      })}
    ), changes AS (
      SELECT ${created(text`b.blockers`)} FROM made i JOIN blockers b ON b.id = i.id CROSS JOIN project
      UNION ALL SELECT * FROM parents
    )`,
  notes: text`
    SELECT 0 AS ord, json_build_object('missing', (SELECT json_agg(id) FROM missing), 'cycle', (SELECT json_agg(id) FROM cycle))::text AS note
    WHERE EXISTS (SELECT FROM missing) OR EXISTS (SELECT FROM cycle)`,
});

/**
 * Creates items, all or none. Nothing is made when a link leads to no item of this project or closes a cycle; the
 * note says which. Waiting runs both ways of a family: an item waits for its dependencies, a parent for its open
 * children. What is cyclic among the new items alone, the caller has refused already.
 */
export function createItems(sql: Sql, projectId: string, entry: CreateEntry): Promise<Outcome[]> {
  const linked = entry.items.some((item) => item.parent_item_id !== null || item.dependencies.length > 0);
  return write(sql, linked ? creatingLinked : creatingUnlinked, projectId, [entry]);
}
