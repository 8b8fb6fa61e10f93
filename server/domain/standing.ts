import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { isConnected } from './sessions.ts';
import { blockedBy, deniedByFiles, leaseOf } from './wire.ts';

/** How an item stands, for whoever has to say why a command was refused or what holds an item back. */
export interface Standing {
  id: string;
  project_id: string;
  number: number;
  status: 'todo' | 'claimed' | 'done' | 'failed' | 'cancelled';
  attempt: number;
  stopping: boolean;
  agent_id: string | null;
  session_id: string | null;
  assigned_at: string | null;
  lease_expires_at: string | null;
  connected: boolean;
  last_seen_at: string | null;
  retry_at: string | null;
  attempts_left: boolean;
  denied: boolean;
  blockers: { id: string; number: number; title: string; status: string; child: boolean }[];
  blocked_by: string[];
}

export async function standingOf(sql: Sql, id: string): Promise<Standing | undefined> {
  const [row] = await sql<Standing[]>`
    SELECT i.id, i.project_id, i.number, i.status, i.attempt, i.stopping, i.assigned_agent_id AS agent_id, i.session_id,
      iso(i.assigned_at) AS assigned_at, iso(${within(sql, leaseOf)}) AS lease_expires_at,
      coalesce(${within(sql, isConnected)}, false) AS connected, iso(s.last_seen_at) AS last_seen_at, iso(i.retry_at) AS retry_at,
      i.failure_count < i.max_attempts AS attempts_left,
      i.status = 'todo' AND ${within(sql, deniedByFiles())} AS denied,
      ${within(sql, blockedBy)} AS blocked_by,
      (SELECT coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'number', b.number, 'title', b.title, 'status', b.status,
          'child', b.child) ORDER BY b.number), '[]') FROM (
        SELECT w.id, w.number, w.title, w.status, false AS child FROM work_item_dependencies d
        JOIN work_items w ON w.id = d.depends_on_id WHERE d.item_id = i.id AND w.status <> 'done'
        UNION ALL SELECT w.id, w.number, w.title, w.status, true FROM work_items w
        WHERE w.parent_item_id = i.id AND w.status IN ('todo', 'claimed', 'failed')
      ) AS b) AS blockers
    FROM work_items i LEFT JOIN agent_sessions s ON s.id = i.session_id WHERE i.id = ${id}`;
  return row;
}
