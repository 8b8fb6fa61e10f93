import type { Sql } from '../db/database.ts';
import { text, type SqlText } from '../db/text.ts';
import { event, mutation, steps, write, type Entry, type Outcome } from './journal.ts';
import { blockedByAllBut, blockedByAnd, byId } from './wire.ts';

/** Only what is present is changed. */
export interface ItemPatch {
  title?: string;
  description?: string | null;
  task_type?: string | null;
  priority?: number;
  parent_item_id?: string | null;
  dependencies?: string[];
  files_planned?: string[];
  estimated_hours?: number | null;
  max_attempts?: number;
  conflict_policy?: 'warn' | 'deny' | null;
  metadata?: Record<string, unknown>;
}

export interface UpdateEntry extends Entry {
  id: string;
  /** Refused when the item has another by now. */
  version: number | null;
  patch: ItemPatch;
  /** Of files_planned, when the patch has files. */
  patterns: Record<string, unknown>;
}

/** Would the item, by its new links, come to wait for itself? */
const cycle = text`
  walk AS (
    WITH RECURSIVE reach AS (
      SELECT target_id AS id FROM link
      UNION SELECT w.id FROM target JOIN work_items w ON w.parent_item_id = target.id
      UNION
      SELECT next.id FROM reach CROSS JOIN LATERAL (
        SELECT d.depends_on_id AS id FROM work_item_dependencies d WHERE d.item_id = reach.id
        UNION ALL SELECT w.id FROM work_items w WHERE w.parent_item_id = reach.id
      ) AS next WHERE reach.id NOT IN (SELECT id FROM target)
    ) SELECT reach.id FROM reach, target WHERE target.moves OR target.relinks
  ), cycle AS MATERIALIZED (
    SELECT walk.id FROM walk, target WHERE walk.id = target.id OR walk.id = target.new_parent
    UNION SELECT target.id FROM target WHERE target.new_parent = target.id
  )`;

/** A field as the patch has it, or as it was. */
const textOf = (field: SqlText) =>
  text`CASE WHEN good.patch ? '${field}' THEN good.patch ->> '${field}' ELSE i.${field}::text END`;
const jsonOf = (field: SqlText) =>
  text`CASE WHEN good.patch ? '${field}' THEN good.patch -> '${field}' ELSE i.${field} END`;

/** What stays when the plan is another: the column covers what was touched, too. */
const patternsTouched = text`
          (SELECT coalesce(jsonb_object_agg(path, pattern), '{}') FROM jsonb_each(i.file_patterns) AS each (path, pattern)
            WHERE i.files_modified ? path)`;

const changed = text`
    updated AS (
      UPDATE work_items AS i SET
        title = ${textOf(text`title`)}, description = ${textOf(text`description`)}, task_type = ${textOf(text`task_type`)},
        priority = (${textOf(text`priority`)})::int, parent_item_id = good.new_parent,
        dependencies = ${jsonOf(text`dependencies`)}, files_planned = ${jsonOf(text`files_planned`)},
        file_patterns = CASE WHEN good.patch ? 'files_planned' THEN good.patterns || ${patternsTouched} ELSE i.file_patterns END,
        estimated_hours = (${textOf(text`estimated_hours`)})::float8, max_attempts = (${textOf(text`max_attempts`)})::int,
        conflict_policy = ${textOf(text`conflict_policy`)}, metadata = ${jsonOf(text`metadata`)},
        open_blockers = blockers.count, updated_at = project.now, version = i.version + 1
      FROM good CROSS JOIN blockers CROSS JOIN project WHERE i.ctid = good.tid
      RETURNING ${event({
        ord: text`good.ord`,
        type: text`'item.updated'`,
        data: text`good.patch || CASE WHEN good.relinks THEN jsonb_build_object('blocked_by', blockers.ids) ELSE '{}' END`,
        blockedBy: text`blockers.ids`,
      })}
    )`;

/** The parent that an open item left waits for one less, the one it came to for one more. */
const families = text`
  moved AS MATERIALIZED (
    SELECT * FROM good WHERE new_parent IS DISTINCT FROM parent_item_id AND status IN ('todo', 'claimed', 'failed')
  ), shifted AS MATERIALIZED (
    SELECT i.tid, each.count, moved.ord, CASE WHEN each.count > 0
      THEN ${blockedByAnd(text`jsonb_build_array(moved.id)`)}
      ELSE ${blockedByAllBut({ children: text`SELECT moved.id` })} END AS blocked_by
    FROM moved CROSS JOIN LATERAL (VALUES (moved.parent_item_id, -1), (moved.new_parent, 1)) AS each (id, count)
    CROSS JOIN ${byId(text`each.id`)} i
  ), relatives AS (
    UPDATE work_items AS i SET open_blockers = i.open_blockers + shifted.count, updated_at = project.now, version = i.version + 1
    FROM shifted CROSS JOIN project WHERE i.ctid = shifted.tid
    RETURNING ${event({
      ord: text`shifted.ord`,
      step: steps.relatives,
      type: text`'item.updated'`,
      data: text`jsonb_build_object('blocked_by', shifted.blocked_by)`,
      blockedBy: text`shifted.blocked_by`,
    })}
  )`;

const updating = mutation({
  columns: text`id uuid, version int, patch jsonb, patterns jsonb`,
  operation: text`
    target AS MATERIALIZED (
      SELECT i.*, input.ord, input.patch, input.patterns, input.patch ? 'parent_item_id' AS moves,
        input.patch ? 'dependencies' AS relinks,
        CASE WHEN input.patch ? 'parent_item_id' THEN (input.patch ->> 'parent_item_id')::uuid ELSE i.parent_item_id END AS new_parent,
        input.version IS NOT NULL AND input.version <> i.version AS stale
      FROM input CROSS JOIN ${byId(text`input.id`)} i WHERE i.project_id = $1
    ), link AS MATERIALIZED (
      SELECT target.id AS item_id, d.id::uuid AS target_id
      FROM target CROSS JOIN jsonb_array_elements_text(target.patch -> 'dependencies') AS d (id)
      WHERE target.relinks
      UNION ALL SELECT d.item_id, d.depends_on_id
      FROM target JOIN work_item_dependencies d ON d.item_id = target.id WHERE NOT target.relinks
    ), missing AS MATERIALIZED (
      SELECT id FROM (SELECT target_id AS id FROM link UNION SELECT new_parent FROM target WHERE new_parent IS NOT NULL) AS wanted
      WHERE NOT EXISTS (SELECT FROM work_items w WHERE w.id = wanted.id AND w.project_id = $1)
    ), ${cycle}, good AS MATERIALIZED (
      SELECT * FROM target WHERE NOT stale AND NOT EXISTS (SELECT FROM missing) AND NOT EXISTS (SELECT FROM cycle)
    ), unlinked AS (
      DELETE FROM work_item_dependencies d USING good
      WHERE good.relinks AND d.item_id = good.id AND d.depends_on_id NOT IN (SELECT target_id FROM link)
    ), linked AS (
      INSERT INTO work_item_dependencies (item_id, depends_on_id)
      SELECT link.item_id, link.target_id FROM link JOIN good ON good.id = link.item_id WHERE good.relinks
      ON CONFLICT (item_id, depends_on_id) DO NOTHING
    ), holding AS MATERIALIZED (
      SELECT w.id, w.number, 1 AS edge FROM link CROSS JOIN ${byId(text`link.target_id`)} w WHERE w.status <> 'done'
      UNION ALL SELECT w.id, w.number, 2 FROM good JOIN work_items w ON w.parent_item_id = good.id
      WHERE w.status IN ('todo', 'claimed', 'failed')
    ), blockers AS MATERIALIZED (
      SELECT (SELECT count(*)::int FROM holding) AS count,
        (SELECT coalesce(jsonb_agg(id ORDER BY number), '[]') FROM (SELECT DISTINCT id, number FROM holding) AS one) AS ids
    ), ${changed}, ${families}, changes AS (SELECT * FROM updated UNION ALL SELECT * FROM relatives)`,
  notes: text`
    SELECT ord, json_build_object('stale', stale, 'version', version, 'missing', (SELECT json_agg(id) FROM missing),
      'cycle', EXISTS (SELECT FROM cycle))::text AS note
    FROM target WHERE NOT EXISTS (SELECT FROM good)`,
});

/** Changes what an item says, links included. The note names what hindered it: a stale version, a missing link, a cycle. */
export function updateItem(sql: Sql, projectId: string, entry: UpdateEntry): Promise<Outcome[]> {
  return write(sql, updating, projectId, [entry]);
}

const prioritising = mutation({
  columns: text`id uuid, priority int`,
  operation: text`
    target AS MATERIALIZED (
      SELECT input.ord, input.priority, i.tid FROM input CROSS JOIN ${byId(text`input.id`)} i
      WHERE i.project_id = $1 AND i.status IN ('todo', 'claimed', 'failed') AND i.priority <> input.priority
    ), changes AS (
      UPDATE work_items AS i SET priority = target.priority, updated_at = project.now, version = i.version + 1
      FROM target CROSS JOIN project WHERE i.ctid = target.tid
      RETURNING ${event({
        ord: text`target.ord`,
        type: text`'item.updated'`,
        data: text`jsonb_build_object('priority', i.priority)`,
      })}
    )`,
});

/** Sets the priority of items that are still to be done; for bulk. */
export function setPriority(
  sql: Sql,
  projectId: string,
  entries: readonly (Entry & { id: string; priority: number })[],
): Promise<Outcome[]> {
  return write(sql, prioritising, projectId, entries);
}
