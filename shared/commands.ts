import { z } from 'zod';
import { agentInfoSchema, progressSchema } from './agent.ts';
import {
  agentIdSchema,
  claimSchema,
  conflictPairSchema,
  conflictPolicySchema,
  conflictSchema,
  eventSchema,
  instant,
  itemFields,
  itemSchema,
  statusSchema,
  taskTypeSchema,
  uuid,
} from './item.ts';
import { limits } from './limits.ts';
import { modifiedPaths, plannedPaths } from './paths.ts';
import {
  projectNameSchema,
  projectRefSchema,
  projectSchema,
  roles,
  tokenSchema,
  type Role,
} from './project.ts';
import { line, prose } from './text.ts';

/** One command: written here once, served over HTTP, Socket.IO, OpenAPI and whatever comes next. */
export interface CommandSpec {
  summary: string;
  /** Least role that may call it. */
  role: Role;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Hono's form: `:name` are fields of the input. */
  path: string;
  /** Its caller is an agent: `agent_id` comes from the session, the token, or the input. */
  byAgent?: boolean;
  input: z.ZodType<Record<string, unknown>>;
  output: z.ZodType;
  /** HTTP status of a success. */
  success?: 200 | 201;
  /** Bytes one message may have. */
  messageBytes?: number;
}

const project = { project: projectRefSchema };
const id = { id: uuid };
const requestId = {
  request_id: line(limits.requestIdLength)
    .optional()
    .describe('the same caller and request_id get the same answer (HTTP: the Idempotency-Key header)'),
};
const agent = {
  agent_id: agentIdSchema
    .optional()
    .describe('over HTTP; a socket’s session knows it, and a bound token wins'),
};
const attempt = { attempt: z.int().min(1).describe('of the claim: the fencing token') };
const files = { files: plannedPaths.optional().describe('added to files_planned') };
const leaseSeconds = {
  lease_seconds: z
    .number()
    .min(0.1)
    .max(limits.claimLeaseSecondsMax)
    .optional()
    .describe(
      `over HTTP, default ${limits.claimLeaseSecondsDefault}; over a socket it can only shorten the session's`,
    ),
};
const taskTypes = { task_types: z.array(taskTypeSchema).min(1).max(limits.taskTypes).optional() };
const claimNext = {
  claim_next: z
    .union([z.boolean(), z.strictObject(taskTypes)])
    .optional()
    .describe('answer with `next` too: what item.claim_next would have answered'),
};

const claimAnswer = z.object({ claim: claimSchema, conflicts: z.array(conflictSchema) });
const nextAnswer = z.union([
  claimAnswer,
  z.object({ claim: z.null(), reason: z.literal('at_capacity').optional() }),
]);
const itemAnswer = z.object({ item: itemSchema });
const finishAnswer = z.object({ item: itemSchema, next: nextAnswer.optional() });
const itemConflicts = z.object({ item: itemSchema, conflicts: z.array(conflictSchema) });

const ref = line(100).describe('a name for this item within this array');
// A ref may look like an id in upper case, and stays as it is written.
const link = z.union([z.uuid(), ref]);
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

/** A query parameter comes as text: `true`, `false`, `12`. */
const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);
const whole = (min: number, max: number) => {
  const number = z.int().min(min).max(max);
  return z.union([
    number,
    z
      .string()
      .regex(/^\d{1,16}$/, 'is no whole number')
      .transform(Number)
      .pipe(number),
  ]);
};
const listOf = <T extends string>(one: z.ZodType<T, string>) =>
  z.union([
    z.array(one).min(1).max(100),
    z
      .string()
      .transform((text) => text.split(','))
      .pipe(z.array(one).min(1).max(100)),
  ]);

const itemFilter = {
  status: listOf(statusSchema).optional(),
  ready: flag.optional(),
  task_type: listOf(taskTypeSchema).optional(),
  agent: agentIdSchema.optional(),
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
  'title',
  '-title',
] as const;

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

const define = <const T extends Record<string, CommandSpec>>(table: T): T => table;

export const commands = define({
  'project.create': {
    summary: 'Create a project',
    role: 'operator',
    method: 'POST',
    path: '/api/projects',
    messageBytes: limits.bulkMessageBytes,
    success: 201,
    input: z.strictObject({
      name: projectNameSchema,
      description: prose().nullable().optional(),
      conflict_policy: conflictPolicySchema.optional(),
      ...requestId,
    }),
    output: z.object({ project: projectSchema }),
  },
  'project.list': {
    summary: 'List the projects you may see',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects',
    input: z.strictObject({}),
    output: z.object({ projects: z.array(projectSchema) }),
  },
  'project.get': {
    summary: 'One project, by id or name',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project',
    input: z.strictObject(project),
    output: z.object({ project: projectSchema }),
  },
  'project.update': {
    summary: 'Change a project',
    role: 'operator',
    method: 'PATCH',
    path: '/api/projects/:project',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...project,
      name: projectNameSchema.optional(),
      description: prose().nullable().optional(),
      conflict_policy: conflictPolicySchema.optional(),
      version: z.int().optional(),
      ...requestId,
    }),
    output: z.object({ project: projectSchema }),
  },
  'project.delete': {
    summary: 'Delete a project with all its items and its log; there is no way back',
    role: 'operator',
    method: 'DELETE',
    path: '/api/projects/:project',
    input: z.strictObject({ ...project, confirm: z.string().describe("the project's name"), ...requestId }),
    output: z.object({ project: projectSchema }),
  },
  'project.progress': {
    summary: 'How far a project is, in all and per parent item',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/progress',
    input: z.strictObject(project),
    output: z.object({ progress: progressSchema }),
  },
  'project.conflicts': {
    summary: 'Pairs of claimed items that share files now',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/conflicts',
    input: z.strictObject(project),
    output: z.object({ conflicts: z.array(conflictPairSchema) }),
  },
  'project.agents': {
    summary: 'Agents of a project: alive or not, and what they hold',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/agents',
    input: z.strictObject(project),
    output: z.object({ agents: z.array(agentInfoSchema) }),
  },
  'project.events': {
    summary: "A project's log, from a sequence number on",
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/events',
    input: z.strictObject({
      ...project,
      after: whole(0, Number.MAX_SAFE_INTEGER).default(0),
      limit: whole(1, limits.eventsMax).default(limits.eventsDefault),
    }),
    output: z.object({ events: z.array(eventSchema), next_after: z.int() }),
  },
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
      version: z.int().optional(),
      ...requestId,
    }),
    output: itemAnswer,
  },
  'item.claim': {
    summary: 'Claim one item',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/items/:id/claim',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...id, ...agent, ...files, ...leaseSeconds, ...requestId }),
    output: claimAnswer,
  },
  'item.claim_next': {
    summary: 'Claim the first item that is ready; `{claim: null}` when none is',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/projects/:project/claim',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...project, ...agent, ...files, ...leaseSeconds, ...taskTypes, ...requestId }),
    output: nextAnswer,
  },
  'item.heartbeat': {
    summary: 'Say that the work goes on, and how far it is',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/items/:id/heartbeat',
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      progress: z.number().min(0).max(100).nullable().optional(),
      note: prose(limits.noteLength).nullable().optional(),
      ...requestId,
    }),
    output: z.object({ item: itemSchema, lease_expires_at: instant }),
  },
  'item.report_files': {
    summary: 'Add files the work has touched; answers with the conflicts as they now stand',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/items/:id/files',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...id, ...agent, ...attempt, files: modifiedPaths, ...requestId }),
    output: itemConflicts,
  },
  'item.check_files': {
    summary: 'The conflicts that claiming these files would meet; changes nothing',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/projects/:project/files/check',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...project, ...agent, files: plannedPaths }),
    output: z.object({ conflicts: z.array(conflictSchema) }),
  },
  'item.complete': {
    summary: 'Finish a claimed item',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/items/:id/complete',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      result_summary: prose(),
      files_modified: modifiedPaths.default([]),
      ...claimNext,
      ...requestId,
    }),
    output: finishAnswer,
  },
  'item.fail': {
    summary: 'Give a claimed item up as failed; retried by itself while attempts remain',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/items/:id/fail',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      failure_reason: prose(),
      retryable: z.boolean().default(true),
      ...claimNext,
      ...requestId,
    }),
    output: finishAnswer,
  },
  'item.release': {
    summary: 'Put a claimed item back, unfinished',
    role: 'agent',
    byAgent: true,
    method: 'POST',
    path: '/api/items/:id/release',
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      reason: prose(limits.noteLength).optional(),
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
      dependents: z.enum(['block', 'release', 'cancel']).default('block'),
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
    input: z.strictObject({
      ...project,
      action: z.enum(['cancel', 'retry', 'set_priority']),
      filter: z.strictObject(itemFilter),
      priority: itemFields.priority.optional().describe('for set_priority'),
      reason: prose(limits.noteLength).optional().describe('for cancel'),
      expected_count: z.int().min(0).optional().describe('refused when another number matches'),
      ...requestId,
    }),
    output: z.object({ done: z.int(), skipped: z.int() }),
  },
  'token.create': {
    summary: 'Make a token; its secret is in this answer only',
    role: 'operator',
    method: 'POST',
    path: '/api/tokens',
    success: 201,
    input: z.strictObject({
      role: z.enum(roles),
      project: projectRefSchema.nullable().optional().describe('for this project only'),
      agent_id: agentIdSchema.nullable().optional().describe('for this agent only'),
      label: line(limits.labelLength),
      expires_at: instant.nullable().optional(),
      ...requestId,
    }),
    output: z.object({ token: tokenSchema.extend({ token: z.string() }) }),
  },
  'token.list': {
    summary: 'List tokens, without their secrets',
    role: 'operator',
    method: 'GET',
    path: '/api/tokens',
    input: z.strictObject({}),
    output: z.object({ tokens: z.array(tokenSchema) }),
  },
  'token.revoke': {
    summary: 'Revoke a token; its sockets are closed within 2 s',
    role: 'operator',
    method: 'DELETE',
    path: '/api/tokens/:id',
    input: z.strictObject({ ...id, ...requestId }),
    output: z.object({ token: tokenSchema }),
  },
});

export type CommandName = keyof typeof commands;
/** What a caller writes. */
export type CommandInput<K extends CommandName> = z.input<(typeof commands)[K]['input']>;
/** What a command gets, after defaults and normalisation. */
export type ParsedInput<K extends CommandName> = z.output<(typeof commands)[K]['input']>;
export type CommandOutput<K extends CommandName> = z.output<(typeof commands)[K]['output']>;
