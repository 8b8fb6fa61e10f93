import type { Project } from '@switchyard/shared/project';
import type { Fragment, Sql } from '../db/database.ts';
import { isUuid } from '../uuid.ts';

const columns = (sql: Sql): Fragment => sql`
  id, name, description, conflict_policy, last_seq::float8 AS last_seq, iso(created_at) AS created_at,
  iso(updated_at) AS updated_at, version`;

/** What time it is: the clock by which everything is decided. */
export async function readClock(sql: Sql): Promise<string> {
  const [clock] = await sql<{ now: string }[]>`SELECT iso(clock_timestamp()) AS now`;
  return clock!.now;
}

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

/** Undefined when the name is taken. */
export async function createProject(
  sql: Sql,
  input: { id: string; name: string; description: string | null; conflict_policy: 'warn' | 'deny' },
): Promise<Project | undefined> {
  const [project] = await sql<Project[]>`
    INSERT INTO projects (id, name, description, conflict_policy)
    VALUES (${input.id}, ${input.name}, ${input.description}, ${input.conflict_policy})
    ON CONFLICT (name) DO NOTHING RETURNING ${columns(sql)}`;
  return project;
}

export interface ProjectPatch {
  name?: string | undefined;
  description?: string | null | undefined;
  conflict_policy?: 'warn' | 'deny' | undefined;
}

/** Changes a project and says so in its log. Undefined when it is gone, or has another version by now. */
export async function updateProject(
  sql: Sql,
  id: string,
  patch: ProjectPatch,
  version: number | null,
  actor: string,
): Promise<Project | undefined> {
  const said = JSON.parse(JSON.stringify(patch)) as Record<string, unknown>;
  const [project] = await sql<Project[]>`
    WITH changed AS (
      UPDATE projects SET name = coalesce(${patch.name ?? null}, name),
        description = CASE WHEN ${'description' in said} THEN ${patch.description ?? null} ELSE description END,
        conflict_policy = coalesce(${patch.conflict_policy ?? null}, conflict_policy),
        last_seq = last_seq + 1, updated_at = clock_timestamp(), version = version + 1
      WHERE id = ${id} AND (${version}::int IS NULL OR version = ${version}::int) RETURNING *
    ), logged AS (
      INSERT INTO events (project_id, seq, type, at, actor, data)
      SELECT id, last_seq, 'project.updated', updated_at, ${actor}, ${sql.json(said as never)}::jsonb FROM changed
    )
    SELECT ${columns(sql)} FROM changed`;
  return project;
}

/** Deletes a project with everything in it; the only thing that is ever deleted. */
export async function deleteProject(sql: Sql, id: string): Promise<Project | undefined> {
  const [project] = await sql<Project[]>`
    WITH log AS (DELETE FROM events WHERE project_id = ${id}),
    gone AS (DELETE FROM projects WHERE id = ${id} RETURNING *)
    SELECT ${columns(sql)} FROM gone`;
  return project;
}
