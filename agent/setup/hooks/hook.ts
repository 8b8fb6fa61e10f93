import { callTimeoutMsDefault, type Call } from '../../call.ts';
import { httpCaller } from '../../http.ts';
import { findHub } from '../../hub-address.ts';
import { clientAgentName } from '../agent-name.ts';
import { clients, type Client } from '../client-names.ts';
import { answerText, hearsBeforeEdits, silent, type Outcome } from './answer.ts';
import { decide } from './decide.ts';
import { hookEvents, readHookInput, type HookEvent, type HookInput } from './input.ts';
import { projectPaths } from './paths.ts';

export interface HookOptions {
  readonly event: string;
  readonly client: string;
  readonly project: string | undefined;
  readonly url: string | undefined;
  /** What the client wrote on stdin. */
  readonly json: string;
  readonly env: NodeJS.ProcessEnv;
  /** The folder that the hook runs in. */
  readonly folder: string;
  /** What an agent needs to know at the start, in Markdown. */
  readonly prime: (call: Call, project: string, agentId: string) => Promise<string>;
}

export interface HookResult {
  readonly stdout: string;
  /** One line, for the client's log. */
  readonly stderr: string;
  /** Who the agent is; null when it did not come to that. */
  readonly agentId: string | null;
}

/** All that a hook may ask of the hub has to be answered within this: the client, and whoever sits at it, waits. */
const budgetMs = 2_000;

/**
 * Answers one hook of a client. It never throws: whatever is wrong with the hub, or with the input, lets the client go
 * on as if there were no hook, and is said in one line.
 */
export async function answerHook(options: HookOptions): Promise<HookResult> {
  const client = clients.find((one) => one === options.client);
  const event = hookEvents.find((one) => one === options.event);
  if (!client || !event) {
    const choices = client ? `an event: ${hookEvents.join(', ')}` : `--client: ${clients.join(', ')}`;
    return { stdout: '', stderr: `switchyard hook: say ${choices}\n`, agentId: null };
  }
  let agentId: string | null = null;
  try {
    const input = readHookInput(client, options.json, options.env, options.folder);
    agentId = clientAgentName(client, input.folder, options.env);
    const outcome = await outcomeOf(event, client, input, agentId, options);
    return { stdout: answerText(client, event, outcome), stderr: '', agentId };
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
    return {
      stdout: answerText(client, event, silent),
      stderr: `switchyard hook ${event}: ${why}\n`,
      agentId,
    };
  }
}

async function outcomeOf(
  event: HookEvent,
  client: Client,
  input: HookInput,
  agentId: string,
  options: HookOptions,
): Promise<Outcome> {
  const { url, env, prime } = options;
  const files = projectPaths(input.folder, input.files);
  const isAboutFiles = event === 'pre-edit' || event === 'post-edit';
  if (input.isForeign || (isAboutFiles && files.length === 0)) return silent;
  const givenItem = givenItemIn(env);
  // Who started the client for an item says where the hub is, whatever the repository's files say.
  const hub = url && !givenItem ? { ...env, SWITCHYARD_URL: url } : env;
  const project = (givenItem && env.SWITCHYARD_PROJECT) || options.project;
  if (!project) throw new Error('no project: say --project NAME or set SWITCHYARD_PROJECT');
  const call = hurried(httpCaller(findHub(hub)));
  return decide(event, {
    call,
    project,
    agentId,
    files,
    givenItem,
    mayStop: input.mayStop,
    hearsBeforeEdits: hearsBeforeEdits[client],
    prime: () => prime(call, project, agentId),
  });
}

function givenItemIn({ SWITCHYARD_ITEM_ID: id, SWITCHYARD_ATTEMPT: attempt }: NodeJS.ProcessEnv) {
  return id && attempt ? { id, attempt: Number(attempt) } : undefined;
}

/** Calls that together take no longer than the budget. */
function hurried(call: Call): Call {
  const deadline = performance.now() + budgetMs;
  return (command, input, { timeoutMs = callTimeoutMsDefault } = {}) => {
    const leftMs = Math.max(1, Math.round(deadline - performance.now()));
    return call(command, input, { timeoutMs: Math.min(timeoutMs, leftMs) });
  };
}
