import { z } from 'zod';
import { limits } from './limits.ts';
import { line, metadataSchema, prose, slug } from './text.ts';

export const statuses = ['todo', 'claimed', 'done', 'failed', 'cancelled'] as const;
export const statusSchema = z.enum(statuses);
export type Status = z.infer<typeof statusSchema>;

export const conflictPolicySchema = z.enum(['warn', 'deny']);
/**
 * Written either way, it is one id: what is compared with it is in lower case. Not `z.uuid()`, which refuses what is of no
 * known version, while PostgreSQL and most who make ids by hand do not.
 */
export const uuid = z.guid('is no id: send a UUID').toLowerCase();
export const instant = z.iso.datetime().describe('ISO 8601, UTC');

export const agentIdSchema = line(limits.agentIdLength).describe(
  'The name an agent goes by, over all its runs.',
);
export const taskTypeSchema = slug.describe('feature, bug, test, docs, refactor, or a slug of your own');
/** Of a claim: counted from 1, in a PostgreSQL integer. */
export const attemptField = z.int32().min(1);
export const priorityField = z.int().min(0).max(limits.priorityMax);

/** A work item as every client sees it. */
export const itemSchema = z
  .object({
    id: uuid,
    project_id: uuid,
    number: z.int().describe('1, 2, 3 … within the project; people write #31'),
    parent_item_id: uuid.nullable(),
    title: z.string(),
    description: z.string().nullable(),
    task_type: z.string().nullable(),
    status: statusSchema,
    priority: priorityField.describe('0 first'),
    assigned_agent_id: z.string().nullable().describe('while claimed, and after it who did it last'),
    assigned_at: instant.nullable(),
    session_id: uuid.nullable().describe('the session that holds, or last held, the claim'),
    attempt: z.int().describe('raised by every claim; part of the fencing token'),
    max_attempts: z.int(),
    failure_count: z.int().describe('failures reported by agents; lost claims are counted apart'),
    lost_count: z.int().describe('claims lost in a row to lease expiry'),
    lease_expires_at: instant.nullable(),
    progress: z.number().nullable().describe('0–100'),
    progress_note: z.string().nullable(),
    files_planned: z.array(z.string()),
    files_modified: z.array(z.string()),
    conflict_policy: conflictPolicySchema.nullable().describe("null: the project's"),
    dependencies: z.array(uuid),
    blocked_by: z.array(uuid).describe('dependencies not yet done, and open children'),
    ready: z.boolean().describe('todo and claimable at this moment'),
    stopping: z.boolean().describe('cancelled, and its holder has not yet confirmed that it stopped'),
    retry_at: instant.nullable(),
    estimated_hours: z.number().nullable(),
    result_summary: z.string().nullable(),
    failure_reason: z.string().nullable(),
    created_at: instant,
    updated_at: instant,
    completed_at: instant.nullable(),
    metadata: z.record(z.string(), z.unknown()),
    version: z.int().describe('raised by every change: the newer of two copies has the higher one'),
  })
  .meta({ id: 'Item' });
export type Item = z.infer<typeof itemSchema>;

export const conflictSchema = z
  .object({
    work_item_id: uuid,
    number: z.int(),
    title: z.string(),
    agent_id: z.string(),
    conflicting_files: z.array(z.string()),
    kind: z
      .enum(['planned', 'modified'])
      .describe('modified: one of the two has touched a shared file already'),
    since: instant,
  })
  .meta({ id: 'Conflict', description: 'Seen from one claimed item, naming the other.' });
export type Conflict = z.infer<typeof conflictSchema>;

/** A conflict seen from outside: both items, for watchers and for the log. */
export const conflictPairSchema = z
  .object({
    items: z
      .array(
        z.object({
          work_item_id: uuid,
          number: z.int(),
          title: z.string(),
          agent_id: z.string(),
          attempt: z.int(),
        }),
      )
      .length(2),
    conflicting_files: z.array(z.string()),
    kind: z.enum(['planned', 'modified']),
    since: instant,
  })
  .meta({ id: 'ConflictPair' });
export type ConflictPair = z.infer<typeof conflictPairSchema>;

export const claimSchema = z
  .object({ item: itemSchema, attempt: z.int(), lease_expires_at: instant, session_id: uuid })
  .meta({ id: 'Claim' });
export type Claim = z.infer<typeof claimSchema>;

export const eventTypes = [
  'item.created',
  'item.updated',
  'item.claimed',
  'item.progressed',
  'item.files_reported',
  'item.completed',
  'item.failed',
  'item.released',
  'item.requeued',
  'item.retried',
  'item.cancelled',
  'item.cancel_acknowledged',
  'conflict.detected',
  'conflict.resolved',
  'agent.connected',
  'agent.disconnected',
  'project.updated',
] as const;
export type EventType = (typeof eventTypes)[number];

/** One row of a project's log. `data` holds the fields that changed, under their wire names, and why. */
export const eventSchema = z
  .object({
    project_id: uuid,
    seq: z.int(),
    type: z.enum(eventTypes),
    at: instant,
    actor: z.string().describe('an agent_id, the label of a token, or "hub"'),
    item_id: uuid.nullable(),
    attempt: z.int().nullable(),
    session_id: uuid.nullable(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Event' });
export type Event = z.infer<typeof eventSchema>;

/** What a person may set when creating or changing an item. */
export const itemFields = {
  title: line(limits.titleLength),
  description: prose().nullable(),
  task_type: taskTypeSchema.nullable(),
  priority: priorityField,
  estimated_hours: z.number().min(0).max(1_000_000).nullable(),
  max_attempts: z.int().min(1).max(limits.attemptsMax),
  conflict_policy: conflictPolicySchema.nullable(),
  metadata: metadataSchema,
};
