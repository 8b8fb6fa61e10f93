import type { AgentInfo } from '@switchyard/shared/agent';
import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { isConnected } from './sessions.ts';
import { leaseOf } from './wire.ts';

/** Agents of a project, each by its sessions that live or were seen last. Without a socket, "seen" is its last command. */
export async function projectAgents(
  sql: Sql,
  projectId: string,
  heartbeatSeconds: number,
): Promise<AgentInfo[]> {
  return sql<AgentInfo[]>`
    WITH newest AS (
      SELECT *, ${within(sql, isConnected)} AS connected, row_number() OVER (PARTITION BY agent_id ORDER BY last_seen_at DESC) AS place
      FROM agent_sessions s WHERE project_id = ${projectId}
    ), shown AS (
      SELECT s.*, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('item_id', i.id, 'number', i.number, 'title', i.title, 'attempt', i.attempt,
          'progress', i.progress, 'assigned_at', iso(i.assigned_at), 'lease_expires_at', iso(${within(sql, leaseOf)})) ORDER BY i.number), '[]')
        FROM work_items i WHERE i.session_id = s.id AND i.status = 'claimed') AS claims
      FROM newest s
      WHERE s.place = 1 OR s.connected
        OR EXISTS (SELECT FROM work_items i WHERE i.session_id = s.id AND i.status = 'claimed')
    ), completed AS (
      -- All in one pass: by an index, one after the other, 100 agents' 10,000 took twice as long.
      SELECT assigned_agent_id AS agent_id, count(*)::int AS count FROM work_items
      WHERE project_id = ${projectId} AND status = 'done' GROUP BY 1
    )
    SELECT agent_id, id AS session_id, channel, connected,
      CASE
        WHEN channel = 'http' THEN CASE WHEN claims <> '[]' THEN 'working' ELSE 'away' END
        WHEN claims <> '[]' AND (NOT connected
          OR last_seen_at < clock_timestamp() - ${2 * heartbeatSeconds} * interval '1 second') THEN 'stale'
        WHEN NOT connected THEN 'away'
        WHEN claims <> '[]' THEN 'working' ELSE 'idle'
      END AS state,
      capacity, task_types, iso(connected_at) AS connected_at, iso(last_seen_at) AS last_seen_at,
      iso(lease_expires_at) AS lease_expires_at, claims,
      coalesce(completed.count, 0) AS completed_count
    FROM shown LEFT JOIN completed USING (agent_id) ORDER BY NOT connected, agent_id, connected_at LIMIT 1000`;
}
