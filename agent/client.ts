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

/** Commands after which a claim is over. */
const finishing: ReadonlySet<CommandName> = new Set(['item.complete', 'item.fail', 'item.release']);
/** Refusals that pass by themselves: the connection is tried again. */
const passing: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']);
/** Until a hub that closed the socket on purpose is asked again, unless it named a time. */
const reopenDelayMs = 1_000;
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
    await client.open(options.connectTimeoutMs ?? callTimeoutMsDefault);
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
  readonly #isAgent: boolean;
  /** Opens when commands may be sent: for an agent, when its session is known to the hub. */
  #gate = newGate();
  #isOpen = false;
  /** Items whose claim is being ended just now: hearing that it is over is no loss. */
  readonly #finishing = new Set<string>();
  #beat: NodeJS.Timeout | undefined;
  #refused: Refusal | undefined;
  #reopenAfterMs = reopenDelayMs;
  /** What the network last said. */
  #trouble = 'is it started?';

  constructor(options: ConnectOptions) {
    this.sessionId = options.sessionId ?? randomUUID();
    this.#isAgent = options.project !== undefined;
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
    this.#socket.on('connect', () => this.#isAgent || this.#letThrough());
    this.#socket.on('session.ready', (ready: SessionReady) => this.#resume(ready));
    this.#socket.on('claim.lost', (lost: ClaimRef) => this.#drop(lost));
    this.#socket.on('claim.cancelled', (cancelled: ClaimRef) => this.#drop(cancelled));
    this.#socket.on('hub.draining', (drain: { reconnect_after_ms: number }) => {
      this.#reopenAfterMs = drain.reconnect_after_ms;
    });
    this.#socket.on('connect_error', (error) => this.#takeRefusal(error));
    this.#socket.on('disconnect', (reason) => {
      if (this.#isOpen) this.#gate = newGate();
      this.#isOpen = false;
      // socket.io comes back by itself from everything but a hub that closed the socket on purpose.
      if (reason === 'io server disconnect') this.#reopen(this.#reopenAfterMs);
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
    const finishes = finishing.has(command) && 'id' in input ? input.id : null;
    if (finishes !== null) this.#finishing.add(finishes);
    try {
      const result = await this.#sendRepeatedly(command, input, timeoutMs);
      if (finishes !== null) this.#claims.delete(finishes);
      this.#noteClaim(result);
      return result;
    } catch (error) {
      if (error instanceof Refusal && error.code === 'CLAIM_LOST' && 'id' in input)
        this.#claims.delete(input.id);
      throw error;
    } finally {
      if (finishes !== null) this.#finishing.delete(finishes);
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
    this.#end(new Refusal('UNAVAILABLE', 'This client was closed: connect again.'));
    this.#socket.disconnect();
  }

  /** For `connect`: opens the socket, and waits until commands may be sent. */
  async open(timeoutMs: number): Promise<void> {
    this.#socket.connect();
    await this.#opened(timeoutMs, () => `No hub let this client in within ${timeoutMs} ms: ${this.#trouble}`);
  }

  /** Commands wait here and not in socket.io's buffer, which would send an agent's before its session is ready. */
  async #opened(timeoutMs: number, otherwise: () => string): Promise<void> {
    const timer = new AbortController();
    const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
      throw new Refusal('UNAVAILABLE', otherwise());
    });
    late.catch(() => {}); // aborted
    await Promise.race([this.#gate.promise, late]).finally(() => timer.abort());
  }

  async #sendRepeatedly<K extends CommandName>(
    command: K,
    input: CommandInput<K>,
    timeoutMs: number,
  ): Promise<CommandOutput<K>> {
    const repeatable = commands[command].role === 'viewer' || 'request_id' in input;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      try {
        return await this.#send<CommandOutput<K>>(command, input, deadline - performance.now());
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const pauseMs = jittered(Number(error.details.retry_after_ms ?? reconnectDelayMsMin));
        const again = repeatable && (error.code === 'UNAVAILABLE' || error.code === 'RATE_LIMITED');
        if (!again || this.#refused || performance.now() + pauseMs > deadline) throw error;
        await sleep(pauseMs);
      }
    }
  }

  #letThrough(): void {
    this.#isOpen = true;
    this.#gate.resolve();
  }

  async #send<T>(event: string, input: unknown, timeoutMs: number): Promise<T> {
    if (this.#refused) throw this.#refused;
    const startedAt = performance.now();
    if (!this.#isOpen)
      await this.#opened(
        timeoutMs,
        () => `Nothing was sent of ${event}, there is no connection: ${this.#trouble}`,
      );
    const answer = (await this.#socket
      .timeout(Math.max(1, timeoutMs - (performance.now() - startedAt)))
      .emitWithAck(event, input)
      .catch(() => {
        // Timed out, or the connection went while the answer was under way: socket.io tells both the same way.
        throw new Refusal('UNAVAILABLE', `No answer to ${event}: it may have been done, or not.`);
      })) as Answer<T>;
    if (answer.ok) return answer.result;
    throw refusalOf(answer.error);
  }

  /** Claims are watched as they pass, so that heartbeats can name them. */
  #noteClaim(result: object): void {
    const { claim } = (('next' in result && result.next) || result) as { claim?: Claim | null };
    if (claim) this.#claims.set(claim.item.id, claim.attempt);
  }

  #resume(ready: SessionReady): void {
    this.ready = ready;
    this.#reopenAfterMs = reopenDelayMs;
    this.#letThrough();
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
    if (this.#claims.get(lost.item_id) !== lost.attempt || this.#finishing.has(lost.item_id)) return;
    for (const handler of this.#socket.listeners('claim.lost')) handler(lost);
  }

  #drop({ item_id, attempt }: ClaimRef): void {
    if (this.#claims.get(item_id) === attempt) this.#claims.delete(item_id);
  }

  #takeRefusal(error: Error & { data?: WireError; description?: { message?: string } }): void {
    this.#trouble = error.description?.message ?? error.message;
    if (!error.data) return; // the network: socket.io tries again
    const refusal = refusalOf(error.data);
    if (passing.has(refusal.code))
      return this.#reopen(Number(refusal.details.retry_after_ms ?? reopenDelayMs));
    this.#end(refusal);
  }

  #end(refusal: Refusal): void {
    this.#refused ??= refusal;
    clearInterval(this.#beat);
    this.#gate.reject(this.#refused);
  }

  #reopen(delayMs: number): void {
    setTimeout(() => this.#refused ?? this.#socket.connect(), jittered(delayMs));
  }
}

type Gate = PromiseWithResolvers<void>;

function newGate(): Gate {
  const gate = Promise.withResolvers<void>();
  gate.promise.catch(() => {}); // whoever waits hears of it; nobody need wait
  return gate;
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
