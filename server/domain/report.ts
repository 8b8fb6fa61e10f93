import type { Sql } from '../db/database.ts';
import { text } from '../db/text.ts';
import { firstOfEach, heldColumns, mine, newFiles, withFiles, type HeldEntry } from './held.ts';
import type { Lease } from './sessions.ts';
import { event, mutation, write, type Outcome } from './journal.ts';
import { byId } from './wire.ts';

export interface ReportFilesEntry extends HeldEntry {
  files: string[];
  patterns: Record<string, unknown>;
}

const leaseAfter = text`
  least(i.lease_expires_at, coalesce(
    (SELECT r.lease_expires_at FROM renewed r WHERE r.id = i.session_id),
    (SELECT s.lease_expires_at FROM agent_sessions s WHERE s.id = i.session_id)))`;

/** Sessions that spoke of a claim they hold: any command is a sign of life, but a fresh lease is not written again. */
const renewedSessions = text`
  renewed AS (
    UPDATE agent_sessions s SET lease_expires_at = project.now + $3::float8 * interval '1 second', last_seen_at = project.now
    FROM project
    WHERE s.id IN (SELECT input.session_id FROM input) AND s.project_id = project.id AND s.connection_id IS NOT NULL
      AND s.lease_expires_at < project.now + $4::float8 * interval '1 second'
    RETURNING s.id, s.lease_expires_at
  )`;

const renewOwnLease = text`lease_expires_at = project.now + i.lease_seconds * interval '1 second'`;

const reportingFiles = mutation({
  columns: text`${heldColumns}, files jsonb, patterns jsonb`,
  operation: text`
    ${mine}, ${renewedSessions}, news AS MATERIALIZED (
      SELECT mine.ord, mine.tid, ${newFiles(text`i.files_modified`, text`mine.files`)} AS files, mine.patterns
      FROM mine CROSS JOIN ${byId(text`mine.id`)} i
    ), changes AS (
      UPDATE work_items AS i SET
        files_modified = ${withFiles(text`i.files_modified`, text`news.files`)},
        file_patterns = i.file_patterns || news.patterns, ${renewOwnLease},
        updated_at = CASE WHEN news.files IS NULL THEN i.updated_at ELSE project.now END,
        version = i.version + (news.files IS NOT NULL)::int
      FROM news CROSS JOIN project WHERE i.ctid = news.tid
      RETURNING ${event({
        ord: text`news.ord`,
        type: text`CASE WHEN news.files IS NOT NULL THEN 'item.files_reported' END`,
        data: text`jsonb_build_object('files_added', news.files)`,
        lease: leaseAfter,
      })}
    )`,
});

/** Adds to the files that claims have touched. Files that were known already are a sign of life and no event. */
export function reportFiles(
  sql: Sql,
  projectId: string,
  entries: readonly ReportFilesEntry[],
  lease: Lease,
): Promise<Outcome[]> {
  return write(sql, reportingFiles, projectId, firstOfEach(entries), [
    lease.seconds,
    lease.renewBelowSeconds,
  ]);
}

export interface ProgressEntry extends HeldEntry {
  /** Absent: as it was. Null: not known any more. */
  progress?: number | null | undefined;
  note?: string | null | undefined;
}

const reportingProgress = mutation({
  columns: text`${heldColumns}, progress float8, note text, says_progress boolean, says_note boolean`,
  operation: text`
    ${mine}, ${renewedSessions}, news AS MATERIALIZED (
      SELECT *, progress IS DISTINCT FROM old_progress OR note IS DISTINCT FROM old_note AS changed FROM (
        SELECT mine.ord, mine.tid, i.progress AS old_progress, i.progress_note AS old_note,
          CASE WHEN mine.says_progress THEN mine.progress ELSE i.progress END AS progress,
          CASE WHEN mine.says_note THEN mine.note ELSE i.progress_note END AS note
        FROM mine CROSS JOIN ${byId(text`mine.id`)} i) AS said
    ), changes AS (
      UPDATE work_items AS i SET
        progress = news.progress, progress_note = news.note, ${renewOwnLease},
        updated_at = CASE WHEN news.changed THEN project.now ELSE i.updated_at END,
        version = i.version + news.changed::int
      FROM news CROSS JOIN project WHERE i.ctid = news.tid
      RETURNING ${event({
        ord: text`news.ord`,
        type: text`CASE WHEN news.changed THEN 'item.progressed' END`,
        data: text`jsonb_build_object('progress', i.progress, 'progress_note', i.progress_note)`,
        lease: leaseAfter,
      })}
    )`,
});

/** Renews the lease of claims and takes down how far they are; only what changed is an event. */
export function reportProgress(
  sql: Sql,
  projectId: string,
  entries: readonly ProgressEntry[],
  lease: Lease,
): Promise<Outcome[]> {
  const said = firstOfEach(entries).map((entry) => ({
    ...entry,
    says_progress: entry.progress !== undefined,
    says_note: entry.note !== undefined,
  }));
  return write(sql, reportingProgress, projectId, said, [lease.seconds, lease.renewBelowSeconds]);
}
