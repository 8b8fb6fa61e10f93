import type { CommandName } from '@switchyard/shared/commands';
import { Refusal, refusalOfIssues } from '@switchyard/shared/errors';
import type { Claim, Item } from '@switchyard/shared/item';
import { fieldsOf, tools, waitSchema, type ToolName } from '@switchyard/shared/mcp';
import { limits } from '@switchyard/shared/limits';
import { answerOf, type Waited } from './answers.ts';
import { isId, requiredId, withIds } from './item-refs.ts';
import type { ReadyWaits } from './ready.ts';
import type { ToolAnswer } from './results.ts';
import type { AgentSession } from './session.ts';

type Fields = Record<string, unknown>;

export interface ToolCall {
  name: ToolName;
  arguments: Fields;
  /** Of a client that may send the same call twice. */
  requestId: string | undefined;
  signal: AbortSignal;
  /** Says now and then how long it has waited, of how long at most, in seconds. */
  onWaiting: ((waited: number, most: number) => void) | undefined;
  /** How long a claim made now is to live without a sign of life. */
  leaseSeconds: number;
}

const listLimit = 20;
const waitingMs = 5_000;
/** What a tool says without being told. */
const fixed: Partial<Record<ToolName, Fields>> = {
  ready_items: { ready: true, sort: 'priority', limit: listLimit },
};

/** Does what a tool is for: its command, with the fields filled in that the model need not know. Throws a `Refusal`. */
export async function callTool(
  session: AgentSession,
  waits: ReadyWaits,
  call: ToolCall,
): Promise<ToolAnswer> {
  await session.takeUp();
  if (call.name === 'wait_for_item') return answerOf(call.name, await waitForItem(session, waits, call));
  const command = commandOf(call);
  // Nobody is asked for what a role may not do anyway.
  if (!session.mayCall(command)) return answerOf(call.name, await session.dispatch(command, call.arguments));
  const input = await inputFor(session, command, call);
  try {
    const result = await session.dispatch(command, input);
    learn(session, command, input, result as Fields);
    return answerOf(call.name, result);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'CLAIM_LOST')
      session.lose(String(input.id), Number(input.attempt), error, false);
    throw error;
  }
}

function commandOf({ name, arguments: given }: ToolCall): CommandName {
  if (name === 'claim_item' && given.id !== undefined && given.id !== null && given.id !== '')
    return 'item.claim';
  return tools[name].command!;
}

async function inputFor(session: AgentSession, command: CommandName, call: ToolCall): Promise<Fields> {
  const { project: named, ...given } = call.arguments;
  const fields = fieldsOf(command);
  const input: Fields = { ...fixed[call.name], ...given };
  if (command === 'item.claim_next') delete input.id;
  if (command === 'item.claim') delete input.task_types;
  const project = () => projectFor(session, named);
  const lookup = async (number: number) =>
    session.command('item.list', { project: await project(), number, limit: 1 });
  if (fields.has('project')) input.project = await project();
  if (fields.has('id')) input.id = await requiredId(given.id, lookup);
  if (fields.has('items')) input.items = await withIds(given.items, lookup);
  if (fields.has('agent_id')) input.agent_id = session.identity.agentId;
  if (fields.has('request_id') && call.requestId !== undefined) input.request_id = call.requestId;
  if (fields.has('lease_seconds')) input.lease_seconds ??= call.leaseSeconds;
  if (input.claim_next) input.claim_next = nextWith(input.claim_next, call.leaseSeconds);
  if (fields.has('id') && fields.has('agent_id') && isId(input.id)) await enterProjectOf(session, input.id);
  if (fields.has('attempt') && isId(input.id)) input.attempt ??= await attemptFor(session, input.id);
  return input;
}

const nextWith = (wish: unknown, lease_seconds: number) =>
  typeof wish === 'object' ? { lease_seconds, ...wish } : { lease_seconds };

/** The project that a call is about: the session's, or the one it names, or the only one there is. */
async function projectFor(session: AgentSession, named: unknown): Promise<string> {
  const ref = session.identity.project ?? named;
  if (ref !== undefined) {
    // Not only for its id: whoever may not see it hears so.
    const { project } = await session.command('project.get', { project: ref as string });
    await session.enter(project.id);
    return project.id;
  }
  const { projects } = await session.command('project.list', {});
  if (projects.length === 1) {
    await session.enter(projects[0]!.id);
    return projects[0]!.id;
  }
  const names = projects.map(({ name }) => name).join(', ');
  throw new Refusal(
    'VALIDATION',
    projects.length === 0
      ? 'There is no project yet. An operator creates one: switchyard projects --help.'
      : `Say which project: add project, one of ${names}.`,
    { issues: [{ path: 'project', message: 'is missing' }] },
  );
}

/** From now on this session hears of the item, and knows whether its agent holds it from before. */
async function enterProjectOf(session: AgentSession, id: string): Promise<void> {
  if (session.claims.attemptOf(id) !== undefined) return;
  const { item } = await session.command('item.get', { id });
  await session.enter(item.project_id);
}

/** The attempt that this session speaks for. */
async function attemptFor(session: AgentSession, id: string): Promise<number> {
  const known = session.claims.attemptOf(id);
  if (known !== undefined) return known;
  const { item } = await session.command('item.get', { id });
  const holder = item.status === 'claimed' ? item.assigned_agent_id : null;
  throw new Refusal(
    'CLAIM_LOST',
    `You do not hold #${item.number}: it is ${holder === null ? item.status : `claimed by ${holder}`}. Claim it first: claim_item.`,
    { status: item.status, attempt: item.attempt, holder, reason: 'not_the_holder' },
  );
}

/** What a result says about claims is remembered, so that the model need not. */
function learn(session: AgentSession, command: CommandName, input: Fields, result: Fields): void {
  if (command === 'item.complete' || command === 'item.fail' || command === 'item.release')
    session.claims.end(String(input.id), Number(input.attempt));
  const { claim } = ((result.next as Fields | undefined) ?? result) as { claim?: Claim | null };
  if (claim) session.claims.note(claim.item, claim.attempt);
  // The answer shows the conflicts as they stand.
  const shown = (claim?.item ?? result.item) as Item | undefined;
  if (shown && 'conflicts' in result) session.notices.dropConflicts(shown.id);
}

async function waitForItem(session: AgentSession, waits: ReadyWaits, call: ToolCall): Promise<Waited> {
  const parsed = waitSchema.safeParse(call.arguments);
  if (!parsed.success) throw refusalOfIssues(parsed.error);
  const { task_types, wait_seconds } = parsed.data;
  const projectId = await projectFor(session, parsed.data.project);
  const filter = {
    ready: true,
    sort: 'priority' as const,
    limit: 1,
    ...(task_types && { task_type: task_types }),
  };
  const startMs = performance.now();
  const waited = () => Math.round((performance.now() - startMs) / 1_000);
  call.onWaiting?.(0, wait_seconds);
  const telling = setInterval(() => call.onWaiting?.(waited(), wait_seconds), waitingMs);
  try {
    const item = await waits.wait(projectId, task_types, {
      ms: wait_seconds * 1_000,
      signal: call.signal,
      first: async () =>
        (await session.command('item.list', { project: projectId, ...filter })).items[0] ?? null,
    });
    return { item, waited_seconds: waited(), stopped: waits.stopped };
  } finally {
    clearInterval(telling);
  }
}

/** A claim of whoever shows no sign of life between calls; the others live by the usual lease, which is renewed. */
export const silentLeaseSeconds = 6 * limits.claimLeaseSecondsDefault;
