import { z } from 'zod';
import { limits } from './limits.ts';
import { agentIdSchema, attemptField, claimSchema, instant, taskTypeSchema, uuid } from './item.ts';
import { projectRefSchema } from './project.ts';
import { prose } from './text.ts';

/** What an agent says of itself when its socket opens. `session_id` is kept over the reconnects of one run. */
export const agentHelloSchema = z.strictObject({
  token: z.string().optional(),
  project: projectRefSchema,
  agent_id: agentIdSchema.optional().describe('may be left out where the token is bound to one'),
  session_id: uuid.optional(),
  task_types: z.array(taskTypeSchema).max(limits.taskTypes).optional(),
  capacity: z.int().min(1).max(limits.capacityMax).default(1).describe('how many claims it wants at once'),
});
export type AgentHello = z.infer<typeof agentHelloSchema>;

export const watcherHelloSchema = z.strictObject({ token: z.string().optional() });

/** An agent of a project, as boards show it: its newest session, and what it holds. */
export const agentInfoSchema = z
  .object({
    agent_id: z.string(),
    session_id: uuid,
    channel: z.enum(['socket', 'http']),
    connected: z.boolean(),
    state: z
      .enum(['working', 'idle', 'stale', 'away'])
      .describe('stale: holds claims but has given no sign of life for two heartbeats; away: not connected'),
    capacity: z.int(),
    task_types: z.array(z.string()).nullable(),
    connected_at: instant,
    last_seen_at: instant,
    lease_expires_at: instant.nullable(),
    claims: z.array(
      z.object({
        item_id: uuid,
        number: z.int(),
        title: z.string(),
        attempt: z.int(),
        progress: z.number().nullable(),
        assigned_at: instant,
        lease_expires_at: instant,
      }),
    ),
    completed_count: z.int().describe('items this agent has finished in this project'),
  })
  .meta({ id: 'Agent' });
export type AgentInfo = z.infer<typeof agentInfoSchema>;

const progressCounts = {
  total: z.int(),
  todo: z.int(),
  claimed: z.int(),
  done: z.int(),
  failed: z.int(),
  cancelled: z.int(),
  ready: z.int(),
  blocked: z.int().describe('todo, but held back by a dependency, a child or a file'),
  percent: z.number().describe('0–100, weighted by estimated_hours; cancelled items do not count'),
};

export const progressSchema = z
  .object({
    ...progressCounts,
    finished_last_hour: z.int(),
    eta_seconds: z
      .number()
      .nullable()
      .describe(
        'at the pace of the last hour; null when nothing was finished in it, or it would take a hundred years',
      ),
    eta_at: instant.nullable(),
    parents: z.array(z.object({ item_id: uuid, number: z.int(), title: z.string(), ...progressCounts })),
  })
  .meta({ id: 'Progress' });
export type Progress = z.infer<typeof progressSchema>;

export const claimRefSchema = z.object({ item_id: uuid, attempt: z.int(), reason: z.string() });
export type ClaimRef = z.infer<typeof claimRefSchema>;

export const sessionReadySchema = z.object({
  session_id: uuid,
  agent_id: z.string(),
  lease_seconds: z.number(),
  heartbeat_seconds: z.number(),
  server_time: instant,
  claims: z.array(claimSchema),
});
export type SessionReady = z.infer<typeof sessionReadySchema>;

export const heartbeatSchema = z.strictObject({
  claims: z
    .array(
      z.strictObject({
        item_id: uuid,
        attempt: attemptField,
        progress: z.number().min(0).max(100).nullable().optional(),
        note: prose(limits.noteLength).nullable().optional(),
      }),
    )
    .max(limits.heartbeatClaims)
    .default([]),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** `lost`: claims that are no longer the session's. `cancelled`: those of them that an operator cancelled; confirm them. */
export const heartbeatAnswerSchema = z.object({
  server_time: instant,
  lost: z.array(claimRefSchema),
  cancelled: z.array(claimRefSchema),
});
export type HeartbeatAnswer = z.infer<typeof heartbeatAnswerSchema>;
