import type { Project } from '@switchyard/shared/project';
import type { Fragment, Sql } from '../db/database.ts';
import { isUuid } from '../uuid.ts';
import type { Entry } from './journal.ts';
import { remembering, unanswered } from './requests.ts';

const columns = (sql: Sql): Fragment => sql`
  id, name, description, conflict_policy, last_seq::float8 AS last_seq, iso(created_at) AS created_at,
  iso(updated_at) AS updated_at, version`;

/** By id or by name. */
export async function findProject(sql: Sql, ref: string): Promise<Project | undefined> {
  const [project] = isUuid(ref)
    ? await sql<Project[]>`SELECT ${columns(sql)} FROM projects WHERE id = ${ref}`
    : await sql<Project[]>`SELECT ${columns(sql)} FROM projects WHERE name = ${ref}`;
  return project;
}

/** All of them, or the one that the caller is bound to. */
export async function listProjects(sql: Sql, only: string | null): Promise<Project[]> {
  return sql<Project[]>`
    SELECT ${columns(sql)} FROM projects WHERE ${only}::uuid IS NULL OR id = ${only}::uuid ORDER BY name`;
}

/** Undefined when the name is taken, or `by` was answered before. */
export async function createProject(
  sql: Sql,
  input: { id: string; name: string; description: string | null; conflict_policy: 'warn' | 'deny' },
  by: Entry,
): Promise<Project | undefined> {
  const [project] = await sql<Project[]>`
    WITH changed AS (
      INSERT INTO projects (id, name, description, conflict_policy)
      SELECT ${input.id}::uuid, ${input.name}, ${input.description}, ${input.conflict_policy} WHERE ${unanswered(sql, by)}
      ON CONFLICT (name) DO NOTHING RETURNING *
    )${remembering(sql, 'project', columns(sql), by)}
    SELECT ${columns(sql)} FROM changed`;
  return project;
}

export interface ProjectPatch {
  name?: string | undefined;
  description?: string | null | undefined;
  conflict_policy?: 'warn' | 'deny' | undefined;
}

/** Changes a project and says so in its log. Undefined when it is gone, has another version by now, or `by` was answered before. */
export async function updateProject(
  sql: Sql,
  id: string,
  patch: ProjectPatch,
  version: number | null,
  by: Entry,
): Promise<Project | undefined> {
  const said = JSON.parse(JSON.stringify(patch)) as Record<string, unknown>;
  const [project] = await sql<Project[]>`
    WITH changed AS (
      UPDATE projects SET name = coalesce(${patch.name ?? null}, name),
        description = CASE WHEN ${'description' in said} THEN ${patch.description ?? null} ELSE description END,
        conflict_policy = coalesce(${patch.conflict_policy ?? null}, conflict_policy),
        last_seq = last_seq + 1, updated_at = clock_timestamp(), version = version + 1
      WHERE id = ${id} AND (${version}::int IS NULL OR version = ${version}::int) AND ${unanswered(sql, by)} RETURNING *
    ), logged AS (
      INSERT INTO events (project_id, seq, type, at, actor, data)
      SELECT id, last_seq, 'project.updated', updated_at, ${by.actor}, ${sql.json(said as never)}::jsonb FROM changed
    )${remembering(sql, 'project', columns(sql), by)}
    SELECT ${columns(sql)} FROM changed`;
  return project;
}

/** Deletes a project with everything in it; the only thing that is ever deleted. Undefined when it is gone already. */
export async function deleteProject(sql: Sql, id: string, by: Entry): Promise<Project | undefined> {
  const [project] = await sql<Project[]>`
    WITH log AS (DELETE FROM events WHERE project_id = ${id}),
    changed AS (DELETE FROM projects WHERE id = ${id} RETURNING *)${remembering(sql, 'project', columns(sql), by)}
    SELECT ${columns(sql)} FROM changed`;
  return project;
}
