import type { Event } from '@switchyard/shared/item';
import type { Fragment, Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import type { LogRow } from './journal.ts';
import { itemJson } from './wire.ts';

const columns = (sql: Sql): Fragment => sql`
  e.project_id, e.seq::float8 AS seq, e.type, iso(e.at) AS at, e.actor, e.item_id, e.attempt, e.session_id`;

/** A project's log after `after`, oldest first. */
export async function readEvents(
  sql: Sql,
  projectId: string,
  after: number,
  limit: number,
): Promise<Event[]> {
  return sql<Event[]>`
    SELECT ${columns(sql)}, e.data FROM events e
    WHERE e.project_id = ${projectId} AND e.seq > ${after} ORDER BY e.seq LIMIT ${limit}`;
}

/** The same for the feed: JSON as text, and each item as it stands now. */
export async function readLog(sql: Sql, projectId: string, after: number, limit: number): Promise<LogRow[]> {
  return sql<LogRow[]>`
    SELECT 0 AS ord, ${columns(sql)}, e.data::text AS data, CASE WHEN i.id IS NOT NULL THEN ${within(sql, itemJson)} END::text AS item,
      NULL AS conflicts, NULL AS lease_expires_at
    FROM events e LEFT JOIN work_items i ON i.id = e.item_id
    WHERE e.project_id = ${projectId} AND e.seq > ${after} ORDER BY e.seq LIMIT ${limit}`;
}

/** All events of one item, oldest first. */
export async function eventsOfItem(sql: Sql, id: string): Promise<Event[]> {
  return sql<Event[]>`
    SELECT ${columns(sql)}, e.data FROM events e WHERE e.item_id = ${id} ORDER BY e.seq LIMIT 10000`;
}

/** How far the logs of these projects reach. */
export async function lastSeqs(
  sql: Sql,
  projectIds: readonly string[],
): Promise<{ id: string; last_seq: number }[]> {
  return sql<{ id: string; last_seq: number }[]>`
    SELECT id, last_seq::float8 AS last_seq FROM projects WHERE id = ANY(${projectIds as string[]})`;
}
