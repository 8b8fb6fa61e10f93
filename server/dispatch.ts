import { createHash, randomUUID } from 'node:crypto';
import {
  commands,
  type CommandName,
  type CommandOutput,
  type ParsedInput,
} from '@switchyard/shared/commands';
import { Refusal, refusalOfIssues, type ErrorCode } from '@switchyard/shared/errors';
import { callerKey, mayAct, type Caller } from './caller.ts';
import { AnsweredBefore, refusalFrom, usedBefore, type Call } from './commands/call.ts';
import { items } from './commands/items.ts';
import { badLink } from './commands/links.ts';
import { projects } from './commands/projects.ts';
import { tokens } from './commands/tokens.ts';
import { work } from './commands/work.ts';
import { sqlstate, codeOf } from './db/outage.ts';
import { recall, remember, type Remembered } from './domain/requests.ts';
import type { Hub } from './hub.ts';
import { plain } from './json.ts';

type Handlers = {
  [K in CommandName]: (call: Call, input: ParsedInput<K>) => Promise<CommandOutput<K>>;
};

const handlers: Handlers = { ...projects, ...items, ...work, ...tokens };

// Their statements look a request_id up themselves; for the others it is looked up before.
const remembersItself = new Set<CommandName>([
  'item.create',
  'item.update',
  'item.claim',
  'item.claim_next',
  'item.heartbeat',
  'item.report_files',
  'item.complete',
  'item.fail',
  'item.release',
  'item.cancel',
  'item.retry',
]);

// These say nothing about the request itself: asked again, it may go another way.
const passing = new Set<ErrorCode>([
  'UNAVAILABLE',
  'RATE_LIMITED',
  'INTERNAL',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'PAYLOAD_TOO_LARGE',
]);

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

/** {@link answerFor} somebody within the hub, who reads the answer. */
export async function dispatch(
  hub: Hub,
  caller: Caller,
  name: CommandName,
  given: unknown,
): Promise<unknown> {
  return plain(await answerFor(hub, caller, name, given));
}

/**
 * The one way in: HTTP, Socket.IO and whatever comes next end here. Checks the role, then the input, then finds or
 * makes the answer, which is to be written with `stringify`. Throws a {@link Refusal} and nothing else.
 */
export async function answerFor(
  hub: Hub,
  caller: Caller,
  name: CommandName,
  given: unknown,
): Promise<unknown> {
  try {
    const spec = commands[name];
    if (!mayAct(caller, spec.role)) {
      throw new Refusal(
        'FORBIDDEN',
        `${name} needs the role ${spec.role}, and this token has the role ${caller.token.role}.`,
        {
          role: caller.token.role,
          needs: spec.role,
        },
      );
    }
    const parsed = spec.input.safeParse(withProject(caller, name, given));
    if (!parsed.success) throw refusalOfIssues(parsed.error);
    return await answer(hub, caller, name, parsed.data);
  } catch (error) {
    throw asRefusal(hub, name, error);
  }
}

/** An agent's socket knows its project. */
function withProject(caller: Caller, name: CommandName, given: unknown): unknown {
  if (!caller.session || !commands[name].path.includes(':project')) return given;
  if (typeof given !== 'object' || given === null || Array.isArray(given) || 'project' in given) return given;
  return { ...given, project: caller.session.projectId };
}

type Handle = (call: Call, input: Record<string, unknown>) => Promise<unknown>;

async function answer(
  hub: Hub,
  caller: Caller,
  name: CommandName,
  input: Record<string, unknown>,
): Promise<unknown> {
  const handle = handlers[name] as Handle;
  const requestId = typeof input.request_id === 'string' ? input.request_id : undefined;
  if (requestId === undefined)
    return handle({ hub, caller, requestId, fingerprint: undefined, remembered: false }, input);
  const key = callerKey(caller, typeof input.agent_id === 'string' ? input.agent_id : undefined);
  // A repeat that came at once would share a batch with the first, whose statement knows of neither yet.
  const place = `${key}\n${requestId}`;
  for (let first = hub.underWay.get(place); first; first = hub.underWay.get(place)) await first;
  const answering = answerOnce(hub, caller, name, input, key, requestId).finally(() =>
    hub.underWay.delete(place),
  );
  hub.underWay.set(
    place,
    answering.catch(() => {}),
  );
  return answering;
}

async function answerOnce(
  hub: Hub,
  caller: Caller,
  name: CommandName,
  input: Record<string, unknown>,
  key: string,
  requestId: string,
): Promise<unknown> {
  const fingerprint = fingerprintOf(name, input);
  const call: Call = { hub, caller, requestId, fingerprint, remembered: false };
  const handle = handlers[name] as Handle;
  // Of rows that another hub has just remembered, the handler makes the answer.
  const again = (known: Remembered): unknown => {
    const said = saidBefore(known);
    return Array.isArray(said) ? handle(call, input) : said;
  };
  if (!remembersItself.has(name)) {
    const known = await hub.db.read((sql) => recall(sql, key, requestId, fingerprint));
    if (known) return again(known);
  }
  const keep = async (said: { answer?: string; error?: string }): Promise<Remembered | undefined> =>
    hub.db.read((sql) => remember(sql, { caller: key, requestId, fingerprint, ...said }));
  try {
    const result = await handle(call, input);
    const standing = call.remembered ? undefined : await keep({ answer: JSON.stringify(result) });
    return standing ? again(standing) : result;
  } catch (error) {
    if (error instanceof AnsweredBefore) return error.answer;
    if (!(error instanceof Refusal) || passing.has(error.code) || call.remembered) throw error;
    const standing = await keep({ error: JSON.stringify(error) });
    if (standing) return again(standing);
    throw error;
  }
}

function saidBefore({ same, answer: said, error }: Remembered): unknown {
  if (!same) throw usedBefore();
  if (error !== null) throw refusalFrom(error);
  return JSON.parse(said!);
}

function fingerprintOf(name: CommandName, { request_id: _, ...input }: Record<string, unknown>): string {
  return createHash('sha256').update(name).update(JSON.stringify(input)).digest('base64url');
}

// Constraints that an input can hit only together with what is stored, so that no schema sees it.
const constraintMessages: Record<string, string> = {
  work_items_files_bounded: 'are too many: the item would have touched more than 10,000',
  work_items_plan_bounded: 'are too many: more than 1,000 would be planned for the item',
};

function filesField(command: string): string {
  if (command === 'item.complete') return 'files_modified';
  return command === 'item.create' || command === 'item.update' ? 'files_planned' : 'files';
}

/** What a caller is told of any error; what is no refusal is a fault of ours, and goes to the log under an id. */
export function asRefusal(hub: Hub, name: string, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const constraint =
    error instanceof Error && 'constraint_name' in error ? String(error.constraint_name) : '';
  if (constraintMessages[constraint]) return badLink(filesField(name), constraintMessages[constraint]);
  if (codeOf(error) === sqlstate.invalidRegex)
    return badLink(filesField(name), 'have a glob that cannot be understood: use *, **, ? and {a,b}');
  // Whatever names a project was told of it a moment before.
  if (codeOf(error) === sqlstate.foreignKeyViolation && constraint.endsWith('_project_id_fkey'))
    return new Refusal('NOT_FOUND', 'The project was deleted meanwhile. project.list names those there are.');
  const id = randomUUID();
  hub.log.error({ err: error, errorId: id, command: name }, 'a command failed unexpectedly');
  return new Refusal('INTERNAL', `Something went wrong in the hub. Its log says more under ${id}.`, {
    error_id: id,
  });
}
