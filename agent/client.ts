import { randomUUID } from 'node:crypto';
import type { HeartbeatAnswer, SessionReady } from '@switchyard/shared/agent';
import type { CommandInput, CommandName, CommandOutput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import type { CatchUp, HubToClient, Snapshot } from '@switchyard/shared/protocol';
import { callTimeoutMsDefault, type CallOptions } from './call.ts';
import {
  addressOf,
  agentOf,
  helloOf,
  servingOf,
  type AgentName,
  type ConnectOptions,
  type Serving,
} from './connect-options.ts';
import { Connection } from './connection.ts';
import { requestIdOf, withRequestId } from './request-id.ts';
import { AgentSession } from './session.ts';
import type { Handler } from './work/context.ts';
import type { WorkHub } from './work/hub.ts';
import type { Worker, WorkOptions } from './work/options.ts';
import { startWorker } from './work/worker.ts';

export type { ConnectOptions } from './connect-options.ts';

/**
 * Opens a socket to the hub and waits until it may be used; an agent, until its session is ready. Throws the hub's
 * `Refusal`, or one with code `UNAVAILABLE` when no hub answers in time; `NoHub` when it is not known where the hub is.
 *
 *     const client = await connect({ url, token, project: 'shop', agentId: 'anna' });
 *     const { claim } = await client.call('item.claim_next', { project: 'shop' });
 */
export async function connect(options: ConnectOptions = {}): Promise<HubClient> {
  const client = new HubClient(options);
  try {
    await client.open(options.connectTimeoutMs ?? callTimeoutMsDefault);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** One socket: commands, the hub's events, the heartbeat that keeps an agent's claims alive, and its work. */
export class HubClient {
  readonly sessionId: string;
  readonly #connection: Connection;
  readonly #agent: AgentName | null;
  readonly #session: AgentSession | null;
  /** What it was connected for, and what the hub was told last. */
  readonly #asked: Serving;
  #serving: Serving;
  #worker: Worker | null = null;

  constructor(options: ConnectOptions) {
    const { url, token } = addressOf(options);
    this.sessionId = options.sessionId ?? randomUUID();
    this.#agent = agentOf(options);
    this.#asked = servingOf(options);
    this.#serving = this.#asked;
    const hello = () => ({ token, ...(this.#agent && helloOf(this.#agent, this.sessionId, this.#serving)) });
    this.#connection = new Connection(url, hello, this.#agent ? 'session.ready' : 'connect');
    this.#session = this.#agent && new AgentSession(this.#connection);
    for (const [event, handler] of Object.entries(options.on ?? {}))
      this.on(event as keyof HubToClient, handler);
  }

  /** What the hub said when the session last became ready; null for a watcher. */
  get ready(): SessionReady | null {
    return this.#session?.ready ?? null;
  }

  /** The claims this session holds, as far as it knows: item id → attempt. */
  get claims(): ReadonlyMap<string, number> {
    return this.#session?.claims ?? new Map<string, number>();
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  /** Resolves when no hub will be tried again: this client was closed, or refused for good. */
  get ended(): Promise<Refusal> {
    return this.#connection.ended;
  }

  /**
   * Sends a command, and sends it again after a lost connection and when the hub asks for a moment, until there is an
   * answer. What changes something goes under a `request_id`, made here unless the input has one, so that it is done
   * once however often it is sent. Throws the hub's `Refusal`; `UNAVAILABLE` after `timeoutMs` (10,000 unless given;
   * `Infinity` is allowed), when nobody knows whether it was done: the same input with the `request_id` in
   * the refusal's details finds out.
   *
   *     const { item } = await client.call('item.get', { id });
   */
  async call<K extends CommandName>(
    command: K,
    input: CommandInput<K>,
    { timeoutMs = callTimeoutMsDefault }: CallOptions = {},
  ): Promise<CommandOutput<K>> {
    const request = withRequestId(command, input);
    const answer = () =>
      this.#connection
        .sendUntilAnswered<CommandOutput<K>>(command, request, timeoutMs)
        .catch((error: unknown) => {
          if (!(error instanceof Refusal) || error.code !== 'UNAVAILABLE') throw error;
          const details = { ...error.details, request_id: requestIdOf(request) };
          throw new Refusal(error.code, error.message, details);
        });
    return this.#session ? this.#session.follow(command, request, answer) : answer();
  }

  /**
   * Says at once what is otherwise said every `heartbeat_seconds`: that this session, and its claims, are alive.
   * Throws a `Refusal`: `UNAVAILABLE` when no answer came.
   *
   *     const { lost } = await client.heartbeat();
   */
  async heartbeat(): Promise<HeartbeatAnswer> {
    if (!this.#session) throw noAgent('A heartbeat');
    return this.#session.heartbeat();
  }

  /**
   * Hears what is ready, claims, runs `handler` with each item, and tells the hub how it ended, until it is closed.
   * Heartbeats, reconnects, cancels and lost claims are seen to; what a handler returns or throws ends its item.
   * Throws when this client is no agent, or works already.
   *
   *     const worker = client.work(async ({ item }) => `Did ${item.title}`, { concurrency: 4 });
   *     await worker.closed;
   */
  work(handler: Handler, options: WorkOptions = {}): Worker {
    if (!this.#session) throw noAgent('Work');
    if (this.#worker)
      throw new Error('This client works already: raise concurrency, or connect a second one.');
    const { capacity, taskTypes } = this.#asked;
    const serving = { capacity: options.concurrency ?? capacity, taskTypes: options.taskTypes ?? taskTypes };
    const hub = this.#workHub(this.#session, serving);
    const worker = startWorker(hub, handler, { ...options, concurrency: serving.capacity });
    this.#worker = worker;
    const leave = () => (this.#worker = null);
    worker.closed.then(leave, leave);
    return worker;
  }

  #workHub(session: AgentSession, serving: Serving): WorkHub {
    const connection = this.#connection;
    return {
      project: this.#agent!.project,
      call: (command, input, options) => this.call(command, input, options),
      on: (event, handler) => this.on(event, handler),
      ended: connection.ended,
      connections: () => connection.count,
      serve: () => this.#serve(serving),
      takeOrphans: () => session.takeOrphans(),
      report: (itemId, progress) => session.report(itemId, progress),
      holds: async (itemId, attempt) => {
        await session.heartbeat().catch(() => {}); // not known: the next one tells
        return session.claims.get(itemId) === attempt;
      },
    };
  }

  /** What the session takes stands in the handshake: where it is to be something else, the hub is told by a new one. */
  async #serve(wish: Serving): Promise<void> {
    const { capacity, taskTypes } = this.#serving;
    if (wish.capacity === capacity && String(wish.taskTypes) === String(taskTypes)) return;
    this.#serving = wish;
    await this.#connection.reopen();
  }

  /**
   * A project's first window, or with `after` (a `seq`) the events since; from then on `project.event` arrives on this
   * connection. Throws a `Refusal`; sent once, so `UNAVAILABLE` when the connection goes. `followProject` does all of it.
   *
   *     const { seq } = await client.watch('shop');
   */
  watch(project: string, after?: number): Promise<Snapshot | CatchUp> {
    return this.#connection.send('project.watch', { project, after }, callTimeoutMsDefault);
  }

  /**
   * Ends what `watch` began. Throws a `Refusal`.
   *
   *     await client.unwatch('shop');
   */
  async unwatch(project: string): Promise<void> {
    await this.#connection.send('project.unwatch', { project }, callTimeoutMsDefault);
  }

  /**
   * Hears an event of the hub; the answer ends it. `claim.lost` is also heard of a claim whose loss a heartbeat found
   * out, and, with reason `unreachable`, of all claims when no hub has answered for as long as a lease lasts.
   *
   *     const off = client.on('conflict.detected', ({ conflicts }) => console.log(conflicts));
   */
  on<E extends keyof HubToClient>(event: E, handler: HubToClient[E]): () => void {
    if (event === 'claim.lost' && this.#session)
      return this.#session.onLost(handler as HubToClient['claim.lost']);
    return this.#connection.on(event, handler);
  }

  /**
   * Runs after every connect, the first included if it is still to come; the answer ends it.
   *
   *     const off = client.onConnect(() => console.log('connected'));
   */
  onConnect(handler: () => void): () => void {
    return this.#connection.onConnect(handler);
  }

  /**
   * Leaves. Work that is going on is let finish first, for as long as its options say (see `Worker.close`). Claims that
   * are still held come back to the queue after the hub's grace. Throws what the worker could not go on for.
   *
   *     await client.close();
   */
  async close(): Promise<void> {
    const end = () =>
      this.#connection.end(new Refusal('UNAVAILABLE', 'This client was closed: connect again.'));
    if (!this.#worker) return end();
    await this.#worker.close().finally(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For `connect`: opens the socket, and waits until commands may be sent. */
  open(timeoutMs: number): Promise<void> {
    return this.#connection.open(timeoutMs);
  }
}

function noAgent(what: string): Error {
  return new Error(`${what} is an agent's: connect with project and agentId.`);
}
