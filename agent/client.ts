import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimRef, HeartbeatAnswer, SessionReady } from '@switchyard/shared/agent';
import {
  commands,
  type CommandInput,
  type CommandName,
  type CommandOutput,
} from '@switchyard/shared/commands';
import { Refusal, type ErrorCode, type WireError } from '@switchyard/shared/errors';
import type { Claim } from '@switchyard/shared/item';
import type { Answer, CatchUp, HubToClient, Snapshot } from '@switchyard/shared/protocol';
import { io, type Socket } from 'socket.io-client';
import { callTimeoutMsDefault, type CallOptions } from './call.ts';

export interface ConnectOptions {
  url: string;
  token: string;
  /** Given: this is an agent of that project. Left out: a watcher, or an operator's script. */
  project?: string;
  agentId?: string;
  /** A uuid, kept over the reconnects of one run; made up when left out. */
  sessionId?: string;
  taskTypes?: string[];
  /** How many claims the agent wants at once; the hub's default is 1. */
  capacity?: number;
  /** Handlers that must not miss what arrives together with `session.ready`. */
  on?: Partial<HubToClient>;
  /** How long the first connection may take, in milliseconds. */
  connectTimeoutMs?: number;
}

/** Refusals that pass by themselves: the connection is tried again. */
const passing: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']);
const reconnectDelayMsMin = 200;
const reconnectDelayMsMax = 5_000;

/**
 * Opens a socket to the hub and waits until it may be used; an agent, until its session is ready. Throws the
 * hub's `Refusal`, or one with code `UNAVAILABLE` when no hub answers in time.
 *
 *     const client = await connect({ url, token, project: 'shop', agentId: 'anna' });
 *     const { claim } = await client.call('item.claim_next', { project: 'shop' });
 */
export async function connect(options: ConnectOptions): Promise<HubClient> {
  const client = new HubClient(options);
  try {
    await client.opened(options.connectTimeoutMs ?? callTimeoutMsDefault);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** One socket: commands, the hub's events, and the heartbeat that keeps an agent's claims alive. */
export class HubClient {
  readonly sessionId: string;
  /** What the hub said when the session last became ready; null for a watcher. */
  ready: SessionReady | null = null;
  readonly #socket: Socket;
  readonly #claims = new Map<string, number>();
  #beat: NodeJS.Timeout | undefined;
  #refused: Refusal | undefined;

  constructor(options: ConnectOptions) {
    this.sessionId = options.sessionId ?? randomUUID();
    this.#socket = io(options.url, {
      auth: helloOf(options, this.sessionId),
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: reconnectDelayMsMin,
      reconnectionDelayMax: reconnectDelayMsMax,
      randomizationFactor: 0.5,
    });
    for (const [event, handler] of Object.entries(options.on ?? {})) this.#socket.on(event, handler);
    this.#socket.on('session.ready', (ready: SessionReady) => this.#resume(ready));
    this.#socket.on('claim.lost', (lost: ClaimRef) => this.#drop(lost));
    this.#socket.on('claim.cancelled', (cancelled: ClaimRef) => this.#drop(cancelled));
    this.#socket.on('connect_error', (error) => void this.#afterRefusal(error));
    this.#socket.on('disconnect', (reason) => {
      // socket.io comes back by itself from everything but a hub that closed the socket on purpose.
      if (reason === 'io server disconnect') void this.#reopen(jittered(reconnectDelayMsMin));
    });
  }

  /** The claims this session holds, as far as it knows: item id → attempt. */
  get claims(): ReadonlyMap<string, number> {
    return this.#claims;
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  /**
   * Sends a command. What cannot do harm twice (reads, and whatever carries a `request_id`) is sent again after
   * a lost connection and when the hub asks for a moment; anything else then throws `UNAVAILABLE`.
   */
  async call<K extends CommandName>(
    command: K,
    input: CommandInput<K>,
    { timeoutMs = callTimeoutMsDefault }: CallOptions = {},
  ): Promise<CommandOutput<K>> {
    const repeatable = commands[command].role === 'viewer' || 'request_id' in input;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      try {
        const result = await this.#send<CommandOutput<K>>(command, input, deadline - performance.now());
        this.#noteClaims(command, input, result);
        return result;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.code === 'CLAIM_LOST' && 'id' in input) this.#claims.delete(input.id);
        const pauseMs = jittered(Number(error.details.retry_after_ms ?? reconnectDelayMsMin));
        const again = repeatable && (error.code === 'UNAVAILABLE' || error.code === 'RATE_LIMITED');
        if (!again || this.#refused || performance.now() + pauseMs > deadline) throw error;
        await sleep(pauseMs);
      }
    }
  }

  /** Says at once what is otherwise said every `heartbeat_seconds`: that this session, and its claims, are alive. */
  async heartbeat(): Promise<HeartbeatAnswer> {
    const claims = [...this.#claims].map(([item_id, attempt]) => ({ item_id, attempt }));
    const answer = await this.#send<HeartbeatAnswer>('agent.heartbeat', { claims }, callTimeoutMsDefault);
    for (const lost of answer.lost) this.#lose(lost);
    return answer;
  }

  /** A project's first window, or with `after` the events since; from then on `project.event` arrives. */
  watch(project: string, after?: number): Promise<Snapshot | CatchUp> {
    return this.#send('project.watch', { project, after }, callTimeoutMsDefault);
  }

  async unwatch(project: string): Promise<void> {
    await this.#send('project.unwatch', { project }, callTimeoutMsDefault);
  }

  /** Hears an event of the hub; the answer ends it. */
  on<E extends keyof HubToClient>(event: E, handler: HubToClient[E]): () => void {
    const name: string = event;
    this.#socket.on(name, handler);
    return () => this.#socket.off(name, handler);
  }

  /** Runs after every connect, the first included if it is still to come. */
  onConnect(handler: () => void): void {
    this.#socket.on('connect', handler);
  }

  /** Leaves. Claims that are still held come back to the queue after the hub's grace. */
  close(): void {
    clearInterval(this.#beat);
    this.#refused ??= new Refusal('UNAVAILABLE', 'This client was closed: connect again.');
    this.#socket.disconnect();
  }

  /** For `connect`: opens the socket. */
  opened(timeoutMs: number): Promise<void> {
    const isAgent = 'project' in this.#socket.auth;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Refusal('UNAVAILABLE', `No hub answered within ${timeoutMs} ms. Is it started?`));
      }, timeoutMs);
      this.#socket.once(isAgent ? 'session.ready' : 'connect', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.on('connect_error', () => {
        if (!this.#refused) return;
        clearTimeout(timer);
        reject(this.#refused);
      });
      this.#socket.connect();
    });
  }

  async #send<T>(event: string, input: unknown, timeoutMs: number): Promise<T> {
    if (this.#refused) throw this.#refused;
    const answer = (await this.#socket
      .timeout(Math.max(1, timeoutMs))
      .emitWithAck(event, input)
      .catch(() => {
        // Timed out, or the connection went while the answer was under way: socket.io tells both the same way.
        throw new Refusal('UNAVAILABLE', `No answer to ${event}: it may have been done, or not.`);
      })) as Answer<T>;
    if (answer.ok) return answer.result;
    throw refusalOf(answer.error);
  }

  /** Claims are watched as they pass, so that heartbeats can name them. */
  #noteClaims(command: CommandName, input: object, result: object): void {
    const over = command === 'item.complete' || command === 'item.fail' || command === 'item.release';
    if (over && 'id' in input) this.#claims.delete(input.id as string);
    const claimed = over && 'next' in result ? (result.next as { claim: Claim | null }) : result;
    if ('claim' in claimed && claimed.claim) {
      const { item, attempt } = claimed.claim as Claim;
      this.#claims.set(item.id, attempt);
    }
  }

  #resume(ready: SessionReady): void {
    this.ready = ready;
    const held = new Map(ready.claims.map(({ item, attempt }) => [item.id, attempt]));
    for (const [item_id, attempt] of [...this.#claims]) {
      if (held.get(item_id) !== attempt) this.#lose({ item_id, attempt, reason: 'lease_expired' });
    }
    for (const [id, attempt] of held) this.#claims.set(id, attempt);
    clearInterval(this.#beat);
    // A beat that fails needs no handling: the socket is gone, and coming back is a sign of life too.
    this.#beat = setInterval(() => void this.heartbeat().catch(() => {}), ready.heartbeat_seconds * 1_000);
  }

  /** A loss that was learnt by asking reaches the same handlers as one that the hub announced. */
  #lose(lost: ClaimRef): void {
    if (this.#claims.get(lost.item_id) !== lost.attempt) return;
    for (const handler of this.#socket.listeners('claim.lost')) handler(lost);
  }

  #drop({ item_id, attempt }: ClaimRef): void {
    if (this.#claims.get(item_id) === attempt) this.#claims.delete(item_id);
  }

  async #afterRefusal(error: Error & { data?: WireError }): Promise<void> {
    if (!error.data) return; // the network: socket.io tries again
    if (passing.has(error.data.code)) {
      return this.#reopen(jittered(Number(error.data.details.retry_after_ms ?? reconnectDelayMsMax)));
    }
    this.#refused = refusalOf(error.data);
    clearInterval(this.#beat);
  }

  async #reopen(delayMs: number): Promise<void> {
    await sleep(delayMs);
    if (!this.#refused) this.#socket.connect();
  }
}

function helloOf(options: ConnectOptions, sessionId: string): Record<string, unknown> {
  const { token, project, agentId, taskTypes, capacity } = options;
  if (project === undefined) return { token };
  return { token, project, agent_id: agentId, session_id: sessionId, task_types: taskTypes, capacity };
}

function refusalOf({ code, message, details }: WireError): Refusal {
  return new Refusal(code, message, details);
}

/** Half to one and a half times as long, so that a thousand clients do not come back at one instant. */
function jittered(ms: number): number {
  return ms * (0.5 + Math.random());
}
