import postgres from 'postgres';
import type { TestHub } from './hub.ts';

/** Gives a project's log so many lines, as if its description had been changed over and over by somebody. */
export async function lengthenLog(
  hub: TestHub,
  project: { id: string; last_seq: number },
  length: number,
): Promise<void> {
  const sql = postgres({ ...(hub.database as object), max: 1 });
  await sql`INSERT INTO events (project_id, seq, type, at, actor)
    SELECT ${project.id}, seq, 'project.updated', now(), 'somebody'
    FROM generate_series(${project.last_seq + 1}::int, ${length}::int) AS seq`;
  await sql`UPDATE projects SET last_seq = ${length} WHERE id = ${project.id}`;
  await sql.end();
}
