import { z } from 'zod';
import { commands, type CommandName } from './commands.ts';
import { taskTypes } from './commands/spec.ts';
import { attemptField, uuid } from './item.ts';
import { projectRefSchema } from './project.ts';

/** Where a hub speaks MCP (Streamable HTTP). */
export const mcpPath = '/mcp';

/** Longest `wait_for_item` in seconds: clients commonly give a tool call up after 60. */
export const waitSecondsMax = 50;

/** Headers, or query parameters `project` and `agent`, that say for whom an MCP client speaks. */
export const mcpHeaders = { project: 'switchyard-project', agent: 'switchyard-agent' } as const;

/**
 * What travels in `_meta`, so that a bridge can take a session up again on a hub that has forgotten it: `request` makes
 * a tool call safe to send twice, `claims` comes with each result, and `resume` with `initialize`.
 */
export const mcpMeta = {
  request: 'switchyard/request_id',
  claims: 'switchyard/claims',
  resume: 'switchyard/resume',
} as const;

const claimRefs = z.array(z.object({ item_id: uuid, attempt: attemptField })).max(1_000);
export const resumeSchema = z.object({ session_id: z.string().nullable(), claims: claimRefs });
/** What a bridge says on `initialize`: the MCP session it had before, null the first time, and the claims of it. */
export type Resume = z.infer<typeof resumeSchema>;

/** `wait_for_item` is the one tool that is no command. */
export const waitSchema = z.strictObject({
  project: projectRefSchema.optional(),
  ...taskTypes,
  wait_seconds: z.number().min(0).max(waitSecondsMax).default(30),
});

export interface ToolSpec {
  /** The command whose input this is made from; null for `wait_for_item`. */
  command: CommandName | null;
  description: string;
  /** Fields of the input that a model should know; the command takes its others too. */
  fields: readonly string[];
  /** Fields of each entry of `items`. */
  itemFields?: readonly string[];
  reads?: true;
}

const table = {
  ready_items: {
    command: 'item.list',
    description: 'List items ready to be claimed, most urgent first.',
    fields: ['task_type', 'q', 'limit'],
    reads: true,
  },
  claim_item: {
    command: 'item.claim_next',
    description:
      'Claim an item before working on it: the one named by id, else the most urgent ready one. Shows its conflicts.',
    fields: ['id', 'task_types', 'files'],
  },
  get_item: {
    command: 'item.explain',
    description: 'One item: all its fields, who holds it, why it can or cannot be claimed.',
    fields: ['id'],
    reads: true,
  },
  report_files: {
    command: 'item.report_files',
    description: 'Say which files you have changed for a claimed item; answers with current conflicts.',
    fields: ['id', 'files'],
  },
  check_files: {
    command: 'item.check_files',
    description: 'Ask, before editing, whether others are working on these files. Changes nothing.',
    fields: ['files'],
    reads: true,
  },
  update_progress: {
    command: 'item.heartbeat',
    description: 'Say how far a claimed item is (0-100), with a short note.',
    fields: ['id', 'progress', 'note'],
  },
  complete_item: {
    command: 'item.complete',
    description: 'Finish a claimed item. With claim_next, claims the next one too.',
    fields: ['id', 'result_summary', 'files_modified', 'claim_next'],
  },
  fail_item: {
    command: 'item.fail',
    description: 'Give a claimed item up as failed. retryable false: trying again would not help.',
    fields: ['id', 'failure_reason', 'retryable'],
  },
  release_item: {
    command: 'item.release',
    description: 'Put a claimed item back unfinished, for anyone to take.',
    fields: ['id', 'reason'],
  },
  create_items: {
    command: 'item.create',
    description:
      'Add items, all or none. To split an item, give its children parent_item_id: it is ready again once they are done.',
    fields: ['items'],
    itemFields: [
      'title',
      'description',
      'task_type',
      'priority',
      'files_planned',
      'dependencies',
      'parent_item_id',
      'ref',
      'estimated_hours',
    ],
  },
  wait_for_item: {
    command: null,
    description: `Wait until an item is ready, at most wait_seconds (up to ${waitSecondsMax}), and show it. Claims nothing.`,
    fields: ['task_types', 'wait_seconds'],
    reads: true,
  },
} as const satisfies Record<string, ToolSpec>;

export type ToolName = keyof typeof table;
export const tools: Record<ToolName, ToolSpec> = table;

export function isTool(name: string): name is ToolName {
  return Object.hasOwn(tools, name);
}

/** What `initialize` tells an agent to do. */
export const instructions = `Switchyard shares work items among agents on one project, so that no two do the same work or edit the same files unawares.
1. claim_item (or wait_for_item, then claim_item) before you work. Read the item and its conflicts.
2. check_files before editing files the item did not plan; report_files after. If someone else changes the same file, keep to small edits or take another item.
3. update_progress now and then. Claims stay yours while you are connected.
4. complete_item with a summary and the files changed; fail_item or release_item if you cannot. Never leave an item claimed.
Too large? create_items with parent_item_id, then release it; it returns when its children are done.
Answers may carry notices. "Stop work" means stop: what you send for that item is refused. Items go by number (#12).`;

type Json = Record<string, unknown>;

export interface ListedTool {
  name: ToolName;
  description: string;
  inputSchema: { type: 'object'; properties: Record<string, object>; required?: string[] };
  annotations: { readOnlyHint: true } | { destructiveHint: false };
}

/**
 * The answer to `tools/list`, made from the schemas that check every call. `withProject`: each call has to say which
 * project, for neither token nor address does.
 *
 *     toolList({ withProject: false }).find((tool) => tool.name === 'claim_item')
 */
export function toolList({ withProject }: { withProject: boolean }): ListedTool[] {
  return (Object.keys(tools) as ToolName[]).map((name) => {
    const spec = tools[name];
    const { properties, required } = inputOf(name);
    const known: Record<string, Json> = { ...properties, ...hints };
    const named = [...(withProject ? ['project'] : []), ...spec.fields];
    const must = required.filter((field) => spec.fields.includes(field));
    return {
      name,
      description: spec.description,
      inputSchema: {
        type: 'object',
        properties: Object.fromEntries(named.map((field) => [field, slim(known[field], spec.itemFields)])),
        ...(must.length > 0 && { required: must }),
      },
      annotations: spec.reads ? { readOnlyHint: true } : { destructiveHint: false },
    };
  });
}

/** The names of all fields that a command takes. */
export function fieldsOf(command: CommandName): ReadonlySet<string> {
  const known = fieldNames.get(command) ?? new Set(Object.keys(objectOf(commands[command].input).properties));
  fieldNames.set(command, known);
  return known;
}
const fieldNames = new Map<CommandName, ReadonlySet<string>>();

// In place of what the schemas say. Plain types only: some clients refuse a schema with several at once.
const itemRef = 'an id, #12, or a ref of this call';
const hints: Record<string, Json> = {
  id: { type: 'string', description: '#12, 12 or the id' },
  files: pathsWith('paths below the project root'),
  files_modified: pathsWith('all paths changed, below the project root'),
  files_planned: pathsWith('paths, folders/ or globs that the work expects to touch'),
  priority: { type: 'integer', minimum: 0, maximum: 9, description: '0 is the most urgent' },
  dependencies: { type: 'array', items: { type: 'string' }, description: itemRef },
  parent_item_id: { type: 'string', description: itemRef },
  ref: { type: 'string', description: 'names this item within this call' },
};

function pathsWith(description: string): Json {
  return { type: 'array', items: { type: 'string' }, description };
}

function inputOf(name: ToolName) {
  const { command } = tools[name];
  return objectOf(command ? commands[command].input : waitSchema);
}

/** Of a union, the alternative for many: it is the last. */
function objectOf(schema: z.ZodType): { properties: Record<string, Json>; required: string[] } {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  const all = (json.anyOf ?? [json]) as { properties: Record<string, Json>; required?: string[] }[];
  const { properties, required = [] } = all.at(-1)!;
  return { properties, required };
}

const told = ['type', 'enum', 'description', 'minimum', 'maximum', 'default'];

/** A schema as a model needs it: of alternatives the first, without patterns and lengths, which every call is held to anyway. */
function slim(schema: Json | undefined, itemFields?: readonly string[]): Json {
  const { anyOf, items, properties, required, ...rest } = schema ?? {};
  if (Array.isArray(anyOf)) {
    const { description } = rest;
    return { ...slim(anyOf[0] as Json, itemFields), ...(description !== undefined && { description }) };
  }
  const kept = Object.fromEntries(Object.entries(rest).filter(([name]) => told.includes(name)));
  if (items) kept.items = slim(items as Json, itemFields);
  if (!properties) return kept;
  const all = { ...(properties as Record<string, Json>), ...hints };
  const names = itemFields ?? Object.keys(properties);
  kept.properties = Object.fromEntries(names.map((name) => [name, slim(all[name])]));
  if (Array.isArray(required) && required.length > 0) kept.required = required;
  return kept;
}

/**
 * A name for an agent whose client gave none: what the client calls itself, and something of its own.
 *
 *     agentNameOf('Claude Code') // claude-code-k3x9p
 */
export function agentNameOf(clientName: string): string {
  const slug = clientName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
  const own = Array.from(crypto.getRandomValues(new Uint8Array(5)), (byte) => (byte % 36).toString(36));
  return `${slug || 'mcp'}-${own.join('')}`;
}
