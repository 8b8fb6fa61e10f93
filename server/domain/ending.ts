import type { Sql } from '../db/database.ts';
import { text, within, type SqlText } from '../db/text.ts';

/** How one attempt at an item ended, by the log: `completed`, `lease_expired` and so on; null when it has not. */
export const endingOf = (item: SqlText, attempt: SqlText): SqlText => text`(
  SELECT CASE e.type WHEN 'item.requeued' THEN 'lease_expired' WHEN 'item.failed' THEN coalesce(e.data ->> 'reason', 'failed')
    ELSE substr(e.type, length('item.') + 1) END
  FROM events e WHERE e.item_id = ${item} AND e.attempt = ${attempt}
    AND e.type IN ('item.completed', 'item.failed', 'item.released', 'item.requeued', 'item.cancelled')
  ORDER BY e.seq LIMIT 1)`;

const endingOfAsked = endingOf(text`asked.id`, text`asked.attempt`);

export async function endOfAttempt(sql: Sql, id: string, attempt: number): Promise<string | null> {
  const [row] = await sql<[{ ending: string | null }]>`
    SELECT ${within(sql, endingOfAsked)} AS ending FROM (SELECT ${id}::uuid AS id, ${attempt}::int AS attempt) AS asked`;
  return row.ending;
}
