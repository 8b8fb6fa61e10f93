import type { Fragment, Sql } from '../db/database.ts';
import { held, heldColumns, newFiles, withFiles, type HeldEntry } from './held.ts';
import { event, write, type Outcome } from './journal.ts';

export interface ReportFilesEntry extends HeldEntry {
  files: string[];
  patterns: Record<string, unknown>;
}

/** Adds to the files that claims have touched. Files that were known already are a sign of life and no event. */
export function reportFiles(
  sql: Sql,
  projectId: string,
  entries: readonly ReportFilesEntry[],
  leaseSeconds: number,
): Promise<Outcome[]> {
  return write(
    sql,
    projectId,
    entries,
    sql`${heldColumns(sql)}, files jsonb, patterns jsonb`,
    sql`
    ${renewedSessions(sql, leaseSeconds)},
    news AS MATERIALIZED (
      SELECT DISTINCT ON (i.id) input.ord, i.id, ${newFiles(sql, sql`i.files_modified`, sql`input.files`)} AS files, input.patterns
      FROM input CROSS JOIN project JOIN work_items i ON ${held(sql)} ORDER BY i.id, input.ord
    ), changes AS (
      UPDATE work_items AS i SET
        files_modified = ${withFiles(sql, sql`i.files_modified`, sql`news.files`)},
        file_patterns = i.file_patterns || news.patterns, ${renewOwnLease(sql)},
        updated_at = CASE WHEN news.files IS NULL THEN i.updated_at ELSE project.now END,
        version = i.version + (news.files IS NOT NULL)::int
      FROM news CROSS JOIN project WHERE i.id = news.id
      RETURNING i.*, ${event(sql, {
        ord: sql`news.ord`,
        type: sql`CASE WHEN news.files IS NOT NULL THEN 'item.files_reported' END`,
        data: sql`jsonb_build_object('files_added', news.files)`,
        lease: leaseAfter(sql),
      })}
    )`,
  );
}

export interface ProgressEntry extends HeldEntry {
  /** Absent: as it was. Null: not known any more. */
  progress?: number | null | undefined;
  note?: string | null | undefined;
}

/** Renews the lease of claims and takes down how far they are; only what changed is an event. */
export function reportProgress(
  sql: Sql,
  projectId: string,
  entries: readonly ProgressEntry[],
  leaseSeconds: number,
): Promise<Outcome[]> {
  const said = entries.map((entry) => ({
    ...entry,
    says_progress: entry.progress !== undefined,
    says_note: entry.note !== undefined,
  }));
  const columns = sql`${heldColumns(sql)}, progress float8, note text, says_progress boolean, says_note boolean`;
  return write(
    sql,
    projectId,
    said,
    columns,
    sql`
    ${renewedSessions(sql, leaseSeconds)},
    news AS MATERIALIZED (
      SELECT *, progress IS DISTINCT FROM old_progress OR note IS DISTINCT FROM old_note AS changed FROM (
        SELECT DISTINCT ON (i.id) input.ord, i.id, i.progress AS old_progress, i.progress_note AS old_note,
          CASE WHEN input.says_progress THEN input.progress ELSE i.progress END AS progress,
          CASE WHEN input.says_note THEN input.note ELSE i.progress_note END AS note
        FROM input CROSS JOIN project JOIN work_items i ON ${held(sql)} ORDER BY i.id, input.ord) AS first
    ), changes AS (
      UPDATE work_items AS i SET
        progress = news.progress, progress_note = news.note, ${renewOwnLease(sql)},
        updated_at = CASE WHEN news.changed THEN project.now ELSE i.updated_at END,
        version = i.version + news.changed::int
      FROM news CROSS JOIN project WHERE i.id = news.id
      RETURNING i.*, ${event(sql, {
        ord: sql`news.ord`,
        type: sql`CASE WHEN news.changed THEN 'item.progressed' END`,
        data: sql`jsonb_build_object('progress', i.progress, 'progress_note', i.progress_note)`,
        lease: leaseAfter(sql),
      })}
    )`,
  );
}

const renewOwnLease = (sql: Sql) =>
  sql`lease_expires_at = project.now + i.lease_seconds * interval '1 second'`;

/** Sessions that spoke of a claim they hold: any command is a sign of life, but a fresh lease is not written again. */
const renewedSessions = (sql: Sql, leaseSeconds: number): Fragment => sql`
  renewed AS (
    UPDATE agent_sessions s SET lease_expires_at = project.now + ${leaseSeconds} * interval '1 second', last_seen_at = project.now
    FROM project
    WHERE s.id IN (SELECT input.session_id FROM input) AND s.project_id = project.id AND s.connection_id IS NOT NULL
      AND s.lease_expires_at < project.now + ${leaseSeconds / 2} * interval '1 second'
    RETURNING s.id, s.lease_expires_at
  )`;

const leaseAfter = (sql: Sql): Fragment => sql`
  least(i.lease_expires_at, coalesce(
    (SELECT r.lease_expires_at FROM renewed r WHERE r.id = i.session_id),
    (SELECT s.lease_expires_at FROM agent_sessions s WHERE s.id = i.session_id)))`;
