import type { Sql } from '../db/database.ts';
import { text, within } from '../db/text.ts';
import { endingOf } from './ending.ts';
import { eventWithoutItem, mutation, write, type Entry, type Outcome } from './journal.ts';
import { itemJson, leaseOf } from './wire.ts';

export interface ConnectEntry extends Entry {
  session_id: string;
  agent_id: string;
  token_id: string | null;
  connection_id: string;
  task_types: string[] | null;
  capacity: number;
}

/** How long sessions live, in seconds. */
export interface Lease {
  seconds: number;
  /** Any command is a sign of life, but only a lease with less than this left is written anew. */
  renewBelowSeconds: number;
}

/** Of session `s`: on a connection, and not taken for dead. A hub that was killed leaves its connections' names behind. */
export const isConnected = text`(s.connection_id IS NOT NULL AND s.lease_expires_at IS NOT NULL)`;

const connecting = mutation({
  columns: text`session_id uuid, agent_id text, token_id uuid, connection_id uuid, task_types jsonb, capacity int`,
  operation: text`
    opened AS (
      INSERT INTO agent_sessions AS s (id, project_id, agent_id, token_id, channel, task_types, capacity, connection_id,
        connected_at, last_seen_at, lease_expires_at)
      SELECT DISTINCT ON (session_id) session_id, project.id, agent_id, token_id, 'socket', task_types, capacity, connection_id,
        project.now, project.now, project.now + $3::float8 * interval '1 second'
      FROM input CROSS JOIN project ORDER BY session_id, ord DESC
      ON CONFLICT (id) DO UPDATE SET connection_id = excluded.connection_id, task_types = excluded.task_types,
        capacity = excluded.capacity, connected_at = excluded.connected_at, last_seen_at = excluded.last_seen_at,
        lease_expires_at = excluded.lease_expires_at
      WHERE s.project_id = excluded.project_id AND s.agent_id = excluded.agent_id AND s.channel = 'socket'
      RETURNING s.*
    ), changes AS (
      SELECT ${eventWithoutItem({
        ord: text`input.ord`,
        type: text`'agent.connected'`,
        data: text`jsonb_build_object('agent_id', opened.agent_id, 'session_id', opened.id, 'connection_id', opened.connection_id,
          'task_types', opened.task_types, 'capacity', opened.capacity)`,
      })}
      FROM opened JOIN input ON input.connection_id = opened.connection_id
    )`,
});

/**
 * Opens sessions, or takes them up again on a new connection, with a full lease from now. A session_id that
 * belongs to another agent gets no rows: it would inherit that agent's claims.
 */
export function connectSessions(
  sql: Sql,
  projectId: string,
  entries: readonly ConnectEntry[],
  leaseSeconds: number,
): Promise<Outcome[]> {
  return write(sql, connecting, projectId, entries, [leaseSeconds]);
}

/** Whether an agent may open, or take up again, the session of this id. */
export async function sessionIsFree(
  sql: Sql,
  id: string,
  projectId: string,
  agentId: string,
): Promise<boolean> {
  const [taken] = await sql`
    SELECT 1 FROM agent_sessions
    WHERE id = ${id} AND NOT (project_id = ${projectId} AND agent_id = ${agentId} AND channel = 'socket')`;
  return !taken;
}

export interface DisconnectEntry extends Entry {
  session_id: string;
  connection_id: string;
}

const disconnecting = mutation({
  columns: text`session_id uuid, connection_id uuid`,
  operation: text`
    closed AS (
      UPDATE agent_sessions s SET connection_id = NULL,
        lease_expires_at = least(s.lease_expires_at, project.now + $3::float8 * interval '1 second')
      FROM input CROSS JOIN project
      WHERE s.id = input.session_id AND s.connection_id = input.connection_id
      RETURNING input.ord, s.*
    ), changes AS (
      SELECT ${eventWithoutItem({
        ord: text`closed.ord`,
        type: text`'agent.disconnected'`,
        data: text`jsonb_build_object('agent_id', closed.agent_id, 'session_id', closed.id,
          'lease_expires_at', iso(closed.lease_expires_at))`,
      })}
      FROM closed
    )`,
});

/** Closes connections: leases end after the grace at the latest. One that was taken over elsewhere is left alone. */
export function disconnectSessions(
  sql: Sql,
  projectId: string,
  entries: readonly DisconnectEntry[],
  graceSeconds: number,
): Promise<Outcome[]> {
  return write(sql, disconnecting, projectId, entries, [graceSeconds]);
}

/** The session of an agent that comes over HTTP: one per project and agent, without a lease of its own. */
export async function httpSession(
  sql: Sql,
  projectId: string,
  agentId: string,
  tokenId: string | null,
): Promise<string> {
  const [known] = await sql<{ id: string }[]>`
    UPDATE agent_sessions SET last_seen_at = clock_timestamp()
    WHERE project_id = ${projectId} AND agent_id = ${agentId} AND channel = 'http' RETURNING id`;
  if (known) return known.id;
  const [made] = await sql<{ id: string }[]>`
    INSERT INTO agent_sessions AS s (id, project_id, agent_id, token_id, channel, capacity)
    VALUES (gen_random_uuid(), ${projectId}, ${agentId}, ${tokenId}, 'http', 1000000)
    ON CONFLICT (project_id, agent_id) WHERE channel = 'http' DO UPDATE SET last_seen_at = excluded.last_seen_at
    RETURNING id`;
  return made!.id;
}

/** The session that an agent has over HTTP already; undefined when it never claimed anything there. */
export async function findHttpSession(
  sql: Sql,
  projectId: string,
  agentId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    SELECT id FROM agent_sessions
    WHERE project_id = ${projectId} AND agent_id = ${agentId} AND channel = 'http'`;
  return row?.id;
}

export interface SessionClaims {
  /** Claims as JSON text, and cancelled ones whose end the session has not confirmed. */
  claims: { item_id: string; item: string; attempt: number; lease_expires_at: string }[];
  stopping: { item_id: string; attempt: number; reason: string | null }[];
}

export async function sessionClaims(sql: Sql, sessionId: string): Promise<SessionClaims> {
  const claims = await sql<SessionClaims['claims']>`
    SELECT i.id AS item_id, ${within(sql, itemJson)}::text AS item, i.attempt, iso(${within(sql, leaseOf)}) AS lease_expires_at
    FROM work_items i WHERE i.session_id = ${sessionId} AND i.status = 'claimed' ORDER BY i.number`;
  const stopping = await sql<SessionClaims['stopping']>`
    SELECT i.id AS item_id, i.attempt, i.failure_reason AS reason
    FROM work_items i WHERE i.session_id = ${sessionId} AND i.stopping ORDER BY i.number`;
  return { claims: [...claims], stopping: [...stopping] };
}

export interface Beat {
  project_id: string;
  session_id: string;
  connection_id: string;
  claims: { item_id: string; attempt: number }[];
}
export interface BeatAnswer {
  now: string;
  /** By the place of the beat; the reasons are those of CLAIM_LOST. */
  gone: { ord: number; item_id: string; attempt: number; cancelled: boolean; reason: string }[];
}

const ending = endingOf(text`named.item_id`, text`named.attempt`);

/** One statement for however many agents a hub has: leases belong to sessions, and item rows stay untouched. */
export async function beat(sql: Sql, beats: readonly Beat[], leaseSeconds: number): Promise<BeatAnswer> {
  const given = beats.map(({ session_id, connection_id }) => ({ session_id, connection_id }));
  const named = beats.flatMap(({ project_id, session_id, claims }, ord) =>
    claims.map((claim) => ({ ord, project_id, session_id, ...claim })),
  );
  const [row] = await sql<[BeatAnswer]>`
    WITH given AS (
      SELECT DISTINCT session_id, connection_id
      FROM jsonb_to_recordset(${sql.json(given)}) AS given (session_id uuid, connection_id uuid)
    ), named AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${sql.json(named)}) AS named (ord int, project_id uuid, session_id uuid, item_id uuid, attempt int)
    ), renewed AS (
      UPDATE agent_sessions s SET last_seen_at = clock_timestamp(),
        lease_expires_at = clock_timestamp() + ${leaseSeconds} * interval '1 second'
      FROM given WHERE s.id = given.session_id AND s.connection_id = given.connection_id
    ), own AS (
      UPDATE work_items i SET lease_expires_at = clock_timestamp() + i.lease_seconds * interval '1 second'
      FROM named WHERE i.id = named.item_id AND i.attempt = named.attempt AND i.session_id = named.session_id
        AND i.status = 'claimed' AND i.lease_seconds IS NOT NULL
    ), gone AS (
      SELECT named.ord, named.item_id, named.attempt, coalesce(i.stopping AND i.attempt = named.attempt, false) AS cancelled,
        CASE WHEN i.id IS NULL THEN 'unknown'
          ELSE coalesce(${within(sql, ending)}, CASE WHEN named.attempt > i.attempt THEN 'no_such_attempt' ELSE 'not_the_holder' END)
          END AS reason
      FROM named LEFT JOIN work_items i ON i.id = named.item_id AND i.project_id = named.project_id
      WHERE (i.status = 'claimed' AND i.attempt = named.attempt AND i.session_id = named.session_id) IS NOT TRUE
    )
    SELECT iso(clock_timestamp()) AS now, coalesce((SELECT jsonb_agg(gone ORDER BY ord) FROM gone), '[]') AS gone`;
  return row;
}
