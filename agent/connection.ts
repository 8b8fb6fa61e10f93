import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type ErrorCode, type WireError } from '@switchyard/shared/errors';
import type { Answer, HubToClient } from '@switchyard/shared/protocol';
import { io, type Socket } from 'socket.io-client';
import { backoffMs } from './backoff.ts';

/** Refusals of the handshake that pass by themselves: the connection is tried again. */
const passing: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL']);
/** Refusals of a command that was not done, or not heard of: it is sent again. */
const sentAgain: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'RATE_LIMITED']);
const redial = { baseMs: 200, capMs: 5_000 };
const resend = { baseMs: 200, capMs: 2_000 };
const dialMsMax = 10_000;
/** Then the answer is taken for lost, and the command sent again. */
const answerMsMax = 10_000;

/**
 * One socket to a hub, kept open: it comes back after whatever the network does, and ends only when it is closed or
 * the hub refuses it for good. socket.io's own reconnection is off: its jitter is no full one, and it does not come
 * back from a hub that sent it away.
 */
export class Connection {
  /** How often a hub has let this client in. */
  count = 0;
  /** When the connection that is open was begun, by `performance.now()`: whatever the hub said on it, it said later. */
  dialledAtMs = 0;
  /** Resolves when no hub will be tried again, with the reason. */
  readonly ended: Promise<Refusal>;
  readonly #ended = Promise.withResolvers<Refusal>();
  readonly #socket: Socket;
  /** Opens when commands may be sent: for an agent, when its session is known to the hub. */
  #gate = newGate();
  #isOpen = false;
  #refused: Refusal | undefined;
  readonly #over = new AbortController();
  #tries = 0;
  #redial: NodeJS.Timeout | undefined;
  /** What the hub asked for before it went down. */
  #reopenAfterMs = 0;
  /** What the network last said. */
  #trouble = 'is it started?';

  /** `hello` is what the handshake says, asked anew each time; commands wait for the event `readyOn`. */
  constructor(url: string, hello: () => Record<string, unknown>, readyOn: 'connect' | 'session.ready') {
    this.ended = this.#ended.promise;
    this.#socket = io(url, {
      auth: (give) => give(hello()),
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      reconnection: false,
      timeout: dialMsMax,
    });
    this.#socket.on('connect', () => (this.count += 1));
    this.#socket.on('hub.draining', (drain: { reconnect_after_ms: number }) => {
      this.#reopenAfterMs = drain.reconnect_after_ms;
    });
    this.#socket.on('disconnect', () => this.#cameApart());
    this.#socket.on('connect_error', (error) => this.#takeRefusal(error));
    this.#socket.on(readyOn, () => this.#letThrough());
  }

  get connected(): boolean {
    return this.#socket.connected;
  }

  /** Hears an event; the answer ends it. An acknowledgement is given on the connection that asked for it, or not at all. */
  on<E extends keyof HubToClient>(event: E, handler: HubToClient[E]): () => void {
    return this.#hear(event, handler as (...args: unknown[]) => void);
  }

  /** Hears that a hub was reached, before it has said anything. */
  onConnect(handler: () => void): () => void {
    return this.#hear('connect', handler);
  }

  #hear(event: string, handler: (...args: unknown[]) => void): () => void {
    const guarded = (...args: unknown[]) => handler(...args.map((arg) => this.#onlyNow(arg)));
    this.#socket.on(event, guarded);
    return () => this.#socket.off(event, guarded);
  }

  /** socket.io would send it on whatever connection there is, where its number means something else. */
  #onlyNow(arg: unknown): unknown {
    if (typeof arg !== 'function') return arg;
    const { count } = this;
    return (...said: unknown[]) => {
      if (this.connected && this.count === count) (arg as (...said: unknown[]) => void)(...said);
    };
  }

  /** Opens the socket, and waits until commands may be sent. */
  async open(timeoutMs: number): Promise<void> {
    this.#dial();
    await this.#opened(timeoutMs, () => `No hub let this client in within ${timeoutMs} ms: ${this.#trouble}`);
  }

  /** Says hello anew, at once, and waits until commands may be sent; what is under way is sent again. */
  reopen(): Promise<void> {
    if (!this.#refused) {
      this.#socket.disconnect();
      this.#dial();
    }
    return this.#gate.promise;
  }

  /** Ends it for good: whoever waits is told why. */
  end(refusal: Refusal): void {
    if (this.#refused) return;
    this.#refused = refusal;
    clearTimeout(this.#redial);
    this.#gate.reject(refusal);
    this.#over.abort();
    this.#socket.disconnect();
    this.#ended.resolve(refusal);
  }

  /** Sends an event once, and waits for its answer. Throws a `Refusal`: `UNAVAILABLE` when none came. */
  async send<T>(event: string, input: unknown, timeoutMs: number): Promise<T> {
    if (this.#refused) throw this.#refused;
    const deadline = performance.now() + timeoutMs;
    if (!this.#isOpen) await this.#opened(timeoutMs, () => `Nothing was sent of ${event}: ${this.#trouble}`);
    const answer = (await this.#socket
      .timeout(Math.max(1, Math.min(answerMsMax, deadline - performance.now())))
      .emitWithAck(event, input)
      .catch(() => {
        // Timed out, or the connection went while the answer was under way: socket.io tells both the same way.
        throw new Refusal('UNAVAILABLE', `No answer to ${event}: it may have been done, or not.`);
      })) as Answer<T>;
    if (answer.ok) return answer.result;
    throw refusalOf(answer.error);
  }

  /** Sends it again until there is an answer: for reads, and for what carries a `request_id`. */
  async sendUntilAnswered<T>(event: string, input: unknown, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (let tries = 0; ; tries++) {
      try {
        return await this.send<T>(event, input, deadline - performance.now());
      } catch (error) {
        if (!(error instanceof Refusal) || !sentAgain.has(error.code) || this.#refused) throw error;
        const pauseMs = Number(error.details.retry_after_ms ?? 0) + backoffMs(tries, resend);
        if (performance.now() + pauseMs > deadline) throw error;
        await sleep(pauseMs, undefined, { signal: this.#over.signal }).catch(() => {});
      }
    }
  }

  /** Commands wait here and not in socket.io's buffer, which would send an agent's before its session is ready. */
  async #opened(timeoutMs: number, otherwise: () => string): Promise<void> {
    if (timeoutMs === Infinity) return this.#gate.promise;
    const timer = new AbortController();
    const late = sleep(Math.max(0, timeoutMs), undefined, { signal: timer.signal }).then(() => {
      throw new Refusal('UNAVAILABLE', otherwise());
    });
    late.catch(() => {}); // aborted
    await Promise.race([this.#gate.promise, late]).finally(() => timer.abort());
  }

  #letThrough(): void {
    this.#isOpen = true;
    this.#tries = 0;
    this.#reopenAfterMs = 0;
    this.#gate.resolve();
  }

  #cameApart(): void {
    if (this.#isOpen) this.#gate = newGate();
    this.#isOpen = false;
    this.#dialLater(this.#reopenAfterMs);
  }

  #takeRefusal(error: Error & { data?: WireError; description?: { message?: string } }): void {
    this.#trouble = error.description?.message ?? error.message;
    if (!error.data) return this.#dialLater(0); // the network
    const refusal = refusalOf(error.data);
    if (!passing.has(refusal.code)) return this.end(refusal);
    this.#dialLater(Number(refusal.details.retry_after_ms ?? 0));
  }

  #dialLater(atLeastMs: number): void {
    if (this.#refused) return;
    clearTimeout(this.#redial);
    this.#redial = setTimeout(() => this.#dial(), atLeastMs + backoffMs(this.#tries, redial));
    this.#tries += 1;
  }

  #dial(): void {
    clearTimeout(this.#redial);
    this.dialledAtMs = performance.now();
    this.#socket.connect();
  }
}

type Gate = PromiseWithResolvers<void>;

function newGate(): Gate {
  const gate = Promise.withResolvers<void>();
  gate.promise.catch(() => {}); // whoever waits hears of it; nobody need wait
  return gate;
}

function refusalOf({ code, message, details }: WireError): Refusal {
  return new Refusal(code, message, details);
}
