import { z } from 'zod';
import {
  agentIdSchema,
  eventSchema,
  instant,
  itemFields,
  itemSchema,
  statusSchema,
  taskTypeSchema,
  uuid,
} from '../item.ts';
import { limits } from '../limits.ts';
import { plannedPaths } from '../paths.ts';
import { line, prose } from '../text.ts';
import {
  agent,
  define,
  flag,
  id,
  itemAnswer,
  itemNumber,
  listOf,
  project,
  requestId,
  whole,
} from './spec.ts';

const ref = line(100).describe('a name for this item within this array');

// A ref may look like an id in upper case, and stays as it is written.
const link = z.union([z.guid(), ref]);

const draftItem = {
  ...z.object(itemFields).partial().shape,
  title: itemFields.title,
  parent_item_id: link.nullable().optional(),
  dependencies: z.array(link).max(limits.dependencies).optional(),
  files_planned: plannedPaths.optional(),
  status: z
    .enum(['todo', 'done', 'cancelled'])
    .optional()
    .describe('for importers: work that was over before it came here; operators only'),
  result_summary: prose().optional().describe('with status done'),
};

const createOne = z.strictObject({ ...project, ...draftItem, ...agent, ...requestId });

const createMany = z.strictObject({
  ...project,
  items: z
    .array(z.strictObject({ ...draftItem, ref: ref.optional() }))
    .min(1)
    .max(limits.itemsPerCreate),
  ...agent,
  ...requestId,
});

export type DraftItem = z.infer<typeof createMany>['items'][number];

const itemFilter = {
  number: z
    .union([itemNumber.transform((one) => [one]), listOf(itemNumber, limits.itemNumbers)])
    .optional()
    .describe('the item of that number, or the items of those'),
  status: listOf(statusSchema).optional(),
  ready: flag.optional(),
  task_type: listOf(taskTypeSchema).optional(),
  agent: agentIdSchema.optional(),
  priority: whole(0, limits.priorityMax).optional(),
  parent: z
    .union([uuid, z.literal('none')])
    .optional()
    .describe('children of this item; none: items without a parent'),
  q: line(limits.searchLength).optional().describe('words in title or description, or #number'),
};

export type ItemFilter = { [K in keyof typeof itemFilter]?: z.infer<(typeof itemFilter)[K]> };

export const itemSorts = [
  'number',
  '-number',
  'priority',
  '-priority',
  'updated',
  '-updated',
  'completed',
  '-completed',
  'title',
  '-title',
  'status',
  '-status',
  'type',
  '-type',
  'agent',
  '-agent',
  'progress',
  '-progress',
] as const;

const dependents = z.enum(['block', 'release', 'cancel']).default('block');

const reason = z.object({ code: z.string(), message: z.string() }).loose();

const explainAnswer = z.object({
  item: itemSchema,
  ready: z.boolean(),
  reasons: z.array(reason),
  holder: z
    .object({
      agent_id: z.string(),
      session_id: uuid,
      connected: z.boolean(),
      last_seen_at: instant,
      lease_expires_at: instant,
      attempt: z.int(),
    })
    .optional(),
});

const historyAttempt = z.object({
  attempt: z.int(),
  agent_id: z.string(),
  session_id: uuid.nullable(),
  started_at: instant,
  ended_at: instant.nullable(),
  outcome: z.enum(['running', 'completed', 'failed', 'released', 'lease_expired', 'cancelled']),
  reason: z.string().nullable(),
});

/** What people do with items, and how everybody looks at them. */
export const itemCommands = define({
  'item.create': {
    summary: 'Create one item, or up to 1,000 at once, all or none',
    role: 'agent',
    method: 'POST',
    path: '/api/projects/:project/items',
    success: 201,
    messageBytes: limits.bulkMessageBytes,
    input: z.union([createOne, createMany]),
    output: z.union([itemAnswer, z.object({ items: z.array(itemSchema) })]),
  },
  'item.list': {
    summary: 'List items, filtered, sorted, a page at a time',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/items',
    input: z.strictObject({
      ...project,
      ...itemFilter,
      sort: z.enum(itemSorts).default('number'),
      limit: whole(1, limits.listMax).default(limits.listDefault),
      cursor: z.string().max(1_000).optional(),
    }),
    output: z.object({ items: z.array(itemSchema), next_cursor: z.string().nullable(), total: z.int() }),
  },
  'item.get': {
    summary: 'One item',
    role: 'viewer',
    method: 'GET',
    path: '/api/items/:id',
    input: z.strictObject(id),
    output: itemAnswer,
  },
  'item.history': {
    summary: 'What happened to an item: its events and its attempts',
    role: 'viewer',
    method: 'GET',
    path: '/api/items/:id/history',
    input: z.strictObject(id),
    output: z.object({ events: z.array(eventSchema), attempts: z.array(historyAttempt) }),
  },
  'item.explain': {
    summary: 'Why an item is, or is not, claimable, and who holds it',
    role: 'viewer',
    method: 'GET',
    path: '/api/items/:id/explain',
    input: z.strictObject(id),
    output: explainAnswer,
  },
  'item.graph': {
    summary: 'What an item waits for and what waits for it, some steps far, nearest first',
    role: 'viewer',
    method: 'GET',
    path: '/api/items/:id/graph',
    input: z.strictObject({
      ...id,
      depth: whole(1, limits.graphDepthMax).optional().describe('steps each way; all of them when left out'),
      limit: whole(1, limits.graphMax).default(limits.graphMax),
    }),
    output: z.object({
      items: z
        .array(itemSchema)
        .describe('the item itself first; links are in dependencies and parent_item_id'),
      total: z
        .int()
        .nullable()
        .describe('how many there are, the item itself among them; null: too many to count'),
    }),
  },
  'item.update': {
    summary: 'Change what an item says; `version` guards against overwriting',
    role: 'operator',
    method: 'PATCH',
    path: '/api/items/:id',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...id,
      ...z.object(itemFields).partial().shape,
      parent_item_id: uuid.nullable().optional(),
      dependencies: z.array(uuid).max(limits.dependencies).optional(),
      files_planned: plannedPaths.optional(),
      version: z.int32().optional(),
      ...requestId,
    }),
    output: itemAnswer,
  },
  'item.cancel': {
    summary: 'Cancel an item; its holder is told until it confirms',
    role: 'operator',
    method: 'POST',
    path: '/api/items/:id/cancel',
    input: z.strictObject({
      ...id,
      reason: prose(limits.noteLength).optional(),
      dependents,
      ...requestId,
    }),
    output: itemAnswer,
  },
  'item.retry': {
    summary: 'Put a failed or cancelled item back in the queue',
    role: 'operator',
    method: 'POST',
    path: '/api/items/:id/retry',
    input: z.strictObject({ ...id, ...requestId }),
    output: itemAnswer,
  },
  'items.bulk': {
    summary: 'Cancel, retry or reprioritise every item that matches a filter',
    role: 'operator',
    method: 'POST',
    path: '/api/projects/:project/items/bulk',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...project,
      action: z.enum(['cancel', 'retry', 'set_priority']),
      filter: z.strictObject(itemFilter),
      priority: itemFields.priority.optional().describe('for set_priority'),
      reason: prose(limits.noteLength).optional().describe('for cancel'),
      dependents: dependents.describe('for cancel: what becomes of items that wait for a cancelled one'),
      expected_count: z.int().min(0).optional().describe('refused when another number matches'),
      ...requestId,
    }),
    output: z.object({
      done: z.int().describe('of those that match'),
      skipped: z.int().describe('of those that match: done and skipped are all of them'),
      along: z
        .int()
        .optional()
        .describe('with dependents cancel: how many more were cancelled, which do not match but waited'),
    }),
  },
});
