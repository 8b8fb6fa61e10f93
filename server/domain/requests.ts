import type { Fragment, Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import type { Entry } from './journal.ts';
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

/** A condition of a change: the request was not answered yet, here or by another hub. */
export const unanswered = (sql: Sql, { caller, request_id: id }: Entry): Fragment =>
  id === undefined
    ? sql`true`
    : sql`NOT EXISTS (SELECT FROM requests WHERE caller = ${caller!} AND request_id = ${id})`;

/**
 * A CTE more: remembers, in the statement that makes the change, `columns` of what it `changed` as the answer. In a
 * statement of its own that could fail, and a repeat would make the change again, or be refused for what the first did.
 */
export const remembering = (
  sql: Sql,
  name: string,
  columns: Fragment,
  { caller, request_id: id, fingerprint }: Entry,
): Fragment =>
  id === undefined
    ? sql``
    : sql`, remembered AS (
      INSERT INTO requests (caller, request_id, fingerprint, answer)
      SELECT ${caller!}, ${id}, ${fingerprint!}, json_build_object(${name}::text, row_to_json(answer))
      FROM (SELECT ${columns} FROM changed) AS answer)`;

const requestsPerPrune = 5_000;
const sessionsPerPrune = 1_000;

/**
 * Forgets what is older than a day, and sessions nobody has heard of for a week; a bounded batch at a time. Says whether
 * there may be more: at a batch a minute a busy hub would remember faster than it forgets.
 */
export async function prune(sql: Sql): Promise<boolean> {
  const requests = await sql`DELETE FROM requests WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM requests WHERE created_at < clock_timestamp() - interval '1 day' LIMIT ${requestsPerPrune}))`;
  const sessions = await sql`DELETE FROM agent_sessions WHERE id IN (
    SELECT s.id FROM agent_sessions s WHERE s.last_seen_at < clock_timestamp() - interval '7 days' AND NOT ${within(sql, isConnected)}
      AND NOT EXISTS (SELECT FROM work_items i WHERE i.session_id = s.id AND i.status = 'claimed') LIMIT ${sessionsPerPrune})`;
  return requests.count >= requestsPerPrune || sessions.count >= sessionsPerPrune;
}
