import type { CommandOutput } from '@switchyard/shared/commands';
import type { Event, EventType } from '@switchyard/shared/item';
import type { Project } from '@switchyard/shared/project';
import type { Fragment, Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import type { LogRow } from './journal.ts';
import { itemJson } from './wire.ts';

const columns = (sql: Sql): Fragment => sql`
  e.project_id, e.seq::float8 AS seq, e.type, iso(e.at) AS at, e.actor, e.item_id, e.attempt, e.session_id`;

/** Which lines of a log. */
export interface LogQuery {
  after: number;
  /** With it, the newest come first. */
  before?: number | undefined;
  limit: number;
  type?: readonly EventType[] | undefined;
  agent?: string | undefined;
  /** Id or number. */
  item?: string | number | undefined;
}

/**
 * A page of a project's log. For a type or an agent at most `scanMax` lines are looked through, which an index has in
 * order, so that a rare one costs no more on a log of a million: whoever wants more goes on with the next page. Lines
 * of an item have an index of their own: a page of them is found at once.
 */
export async function readEvents(
  sql: Sql,
  { id, last_seq }: Pick<Project, 'id' | 'last_seq'>,
  query: LogQuery,
  scanMax: number,
): Promise<CommandOutput<'project.events'>> {
  const { after, before, limit } = query;
  const backwards = before !== undefined;
  const whole = query.type === undefined && query.agent === undefined;
  // Lines from - 1 and to + 1 are not looked at.
  const end = backwards ? Math.min(before - 1, last_seq) : Math.max(after, last_seq);
  const from = whole || !backwards ? after + 1 : Math.max(after + 1, end + 1 - scanMax);
  const to = whole || backwards ? end : Math.min(end, after + scanMax);
  const events = await sql<Event[]>`
    SELECT ${columns(sql)}, e.data FROM events e
    WHERE e.project_id = ${id} AND e.seq BETWEEN ${from} AND ${to} ${fits(sql, id, query)}
    ORDER BY e.seq ${backwards ? sql`DESC` : sql``} LIMIT ${limit}`;
  const last = events.length === limit ? events.at(-1)!.seq : undefined;
  if (!backwards) return { events, next_after: last ?? to };
  const stopped = last ?? from;
  return { events, next_after: end, next_before: stopped > after + 1 ? stopped : null };
}

function fits(sql: Sql, projectId: string, { type, agent, item }: LogQuery): Fragment {
  const all: Fragment[] = [sql``];
  if (type) all.push(sql`e.type = ANY(${type as EventType[]})`);
  if (agent !== undefined) {
    // The hub puts a claim back, an operator cancels it: such a line names its session only.
    const sessions = sql`SELECT s.id FROM agent_sessions s WHERE s.project_id = ${projectId} AND s.agent_id = ${agent}`;
    all.push(
      sql`(e.actor = ${agent} OR e.session_id IN (${sessions}) OR e.data ->> 'assigned_agent_id' = ${agent})`,
    );
  }
  if (typeof item === 'string') all.push(sql`e.item_id = ${item}`);
  if (typeof item === 'number')
    all.push(
      sql`e.item_id = (SELECT w.id FROM work_items w WHERE w.project_id = ${projectId} AND w.number = ${item})`,
    );
  return all.reduce((both, one) => sql`${both} AND ${one}`);
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
