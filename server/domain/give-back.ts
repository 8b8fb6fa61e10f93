import { limits } from '@switchyard/shared/limits';
import type { Sql } from '../db/database.ts';
import { text } from '../db/text.ts';
import { endClaim, firstOfEach, heldColumns, mine, type HeldEntry } from './held.ts';
import { event, mutation, write, type Outcome } from './journal.ts';

export interface FailEntry extends HeldEntry {
  failure_reason: string;
  retryable: boolean;
}

const delayMs = text`least(${limits.retryDelayMsMax}::float8, ${limits.retryDelayMsMin}::float8 * 2 ^ least(i.failure_count, 20))
    * (1 - 0.2 * random())`;

const failing = mutation({
  columns: text`${heldColumns}, failure_reason text, retryable boolean`,
  operation: text`${mine}, changes AS (
      UPDATE work_items AS i SET
        status = 'failed', completed_at = project.now, failure_reason = input.failure_reason, lost_count = 0,
        failure_count = i.failure_count + 1,
        retry_at = CASE WHEN input.retryable AND i.failure_count + 1 < i.max_attempts
          THEN project.now + ${delayMs} * interval '1 millisecond' END,
        ${endClaim}
      FROM mine AS input CROSS JOIN project WHERE i.ctid = input.tid
      RETURNING ${event({
        ord: text`input.ord`,
        type: text`'item.failed'`,
        data: text`jsonb_build_object('status', i.status, 'completed_at', iso(i.completed_at), 'failure_reason', i.failure_reason,
          'failure_count', i.failure_count, 'lost_count', 0, 'retry_at', iso(i.retry_at), 'retryable', input.retryable)`,
      })}
    )`,
});

/**
 * Ends claims as failed. While failures remain below max_attempts a retry falls due after 1 s, doubled with every
 * failure up to 5 min, less up to a fifth at random so that what failed together does not come back together.
 */
export function failItems(sql: Sql, projectId: string, entries: readonly FailEntry[]): Promise<Outcome[]> {
  return write(sql, failing, projectId, firstOfEach(entries));
}

export interface ReleaseEntry extends HeldEntry {
  reason: string | null;
}

const releasing = mutation({
  columns: text`${heldColumns}, reason text`,
  operation: text`${mine}, changes AS (
      UPDATE work_items AS i SET
        status = 'todo', lost_count = 0, progress = NULL, progress_note = NULL, ${endClaim}
      FROM mine AS input CROSS JOIN project WHERE i.ctid = input.tid
      RETURNING ${event({
        ord: text`input.ord`,
        type: text`'item.released'`,
        data: text`jsonb_build_object('status', i.status, 'lost_count', 0, 'progress', NULL, 'progress_note', NULL,
          'reason', input.reason)`,
      })}
    )`,
});

/** Puts claims back into the queue, unfinished, at the wish of their holders. */
export function releaseItems(
  sql: Sql,
  projectId: string,
  entries: readonly ReleaseEntry[],
): Promise<Outcome[]> {
  return write(sql, releasing, projectId, firstOfEach(entries));
}
