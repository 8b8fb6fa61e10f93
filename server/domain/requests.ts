import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { isConnected } from './sessions.ts';

/** What a caller was answered under a request_id, for commands whose statement does not remember it itself. */
export interface Remembered {
  same: boolean;
  /** JSON text; one of the two is there. */
  answer: string | null;
  error: string | null;
}

export async function recall(
  sql: Sql,
  caller: string,
  requestId: string,
  fingerprint: string,
): Promise<Remembered | undefined> {
  const [row] = await sql<Remembered[]>`
    SELECT fingerprint = ${fingerprint} AS same, answer::text AS answer, error::text AS error
    FROM requests WHERE caller = ${caller} AND request_id = ${requestId}`;
  return row;
}

/** Remembers an answer or a refusal. Whoever was first is right: then the answer that stands is given back. */
export async function remember(
  sql: Sql,
  entry: { caller: string; requestId: string; fingerprint: string; answer?: string; error?: string },
): Promise<Remembered | undefined> {
  const [made] = await sql`
    INSERT INTO requests (caller, request_id, fingerprint, answer, error)
    VALUES (${entry.caller}, ${entry.requestId}, ${entry.fingerprint}, ${entry.answer ?? null}::text::json, ${entry.error ?? null}::text::json)
    ON CONFLICT DO NOTHING RETURNING 1`;
  return made ? undefined : recall(sql, entry.caller, entry.requestId, entry.fingerprint);
}

/** Forgets what is older than a day, and sessions nobody has heard of for a week; a bounded batch at a time. */
export async function prune(sql: Sql): Promise<void> {
  await sql`DELETE FROM requests WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM requests WHERE created_at < clock_timestamp() - interval '1 day' LIMIT 5000))`;
  await sql`DELETE FROM agent_sessions WHERE id IN (
    SELECT s.id FROM agent_sessions s WHERE s.last_seen_at < clock_timestamp() - interval '7 days' AND NOT ${within(sql, isConnected)}
      AND NOT EXISTS (SELECT FROM work_items i WHERE i.session_id = s.id AND i.status = 'claimed') LIMIT 1000)`;
}
