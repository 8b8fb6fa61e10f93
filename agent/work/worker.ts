import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@switchyard/shared/errors';
import { limits } from '@switchyard/shared/limits';
import { Claiming } from './claiming.ts';
import type { Handler } from './context.ts';
import { insist } from './deliver.ts';
import { Hands } from './hands.ts';
import type { WorkHub } from './hub.ts';
import { Ledger } from './ledger.ts';
import type { Worker, WorkOptions, WorkStats } from './options.ts';
import { untilAnswered } from './run.ts';

const drainMsDefault = 30_000;
const stopMsDefault = 5_000;
/** Node's timers take no more: then it is for ever. */
const timerMsMax = 2 ** 31 - 1;
/** An offer is no promise: without one, an idle worker asks by itself about this often. */
const idleAskMs = 60_000;
/** How long closing waits for answers that a hub gives at once, if it is there. */
const farewellMs = 2_000;

/** Starts to work; see `HubClient.work`. */
export function startWorker(
  hub: WorkHub,
  handler: Handler,
  options: WorkOptions & { concurrency: number },
): Worker {
  const { concurrency } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > limits.capacityMax)
    throw new RangeError(
      `concurrency is a whole number from 1 to ${limits.capacityMax}, not ${concurrency}.`,
    );
  return new WorkLoop(hub, handler, options);
}

class WorkLoop implements Worker {
  readonly closed: Promise<void>;
  readonly #hub: WorkHub;
  readonly #options: WorkOptions & { concurrency: number };
  readonly #claiming: Claiming;
  readonly #hands: Hands;
  readonly #ledger: Ledger;
  /** Claims asked for, besides those that come with the end of another. */
  #asks = 0;
  /** Something was offered while all places were taken, or being asked for: an answer of "nothing" may be older. */
  #missed = false;
  readonly #off: (() => void)[];
  #idle: NodeJS.Timeout | undefined;
  #changed = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  readonly #hurry = Promise.withResolvers<void>();
  #closing = false;
  #isClosed = false;
  #failure: Error | null = null;

  constructor(hub: WorkHub, handler: Handler, options: WorkOptions & { concurrency: number }) {
    this.closed = this.#closed.promise;
    this.#ledger = new Ledger(options);
    this.#hub = hub;
    this.#options = options;
    this.#claiming = new Claiming(hub, (claim, conflicts) => this.#hands.take(claim, conflicts));
    this.#hands = new Hands({
      hub,
      handler,
      ledger: this.#ledger,
      claiming: this.#claiming,
      onChange: () => this.#notify(),
      onFree: (maybeMore) => this.#freed(maybeMore),
      onBug: (error) => this.#fail(error),
    });
    this.#off = [
      hub.on('session.ready', () => this.#resume()),
      hub.on('item.available', () => this.#offered()),
      hub.on('claim.cancelled', (claim, acknowledge) => {
        if (!this.#hands.cancel(claim, acknowledge)) this.#claiming.cancel(claim, acknowledge);
      }),
      hub.on('claim.lost', (claim) => this.#hands.lose(claim)),
      hub.on('conflict.detected', (told) => this.#hands.hearConflicts('detected', told)),
      hub.on('conflict.resolved', (told) => this.#hands.hearConflicts('resolved', told)),
    ];
    void hub.ended.then((refusal) => {
      this.#hands.loseAll(refusal.message);
      this.#fail(refusal);
    });
    this.#guard(this.#start());
  }

  get stats(): Readonly<WorkStats> {
    return this.#ledger.stats;
  }

  close({ drainMs = this.#options.drainMs ?? drainMsDefault } = {}): Promise<void> {
    if (drainMs < timerMsMax) setTimeout(() => this.#hurry.resolve(), drainMs).unref();
    if (!this.#closing) this.#leave().catch((error: Error) => this.#closed.reject(error));
    return this.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    await this.#hub.serve();
    this.#resume();
    this.#fill();
    if (this.#closing) return;
    this.#idle = setInterval(() => this.#fill(1), idleAskMs * (0.5 + Math.random()));
  }

  /** Claims of an earlier run of this session, or whose answer was lost with the connection, are ours to work on. */
  #resume(): void {
    this.#hands.refreshConflicts();
    for (const claim of this.#hub.takeOrphans()) this.#claiming.adopt(claim);
  }

  /** Asks for work for every free place, or for so many. */
  #fill(most = Infinity): void {
    if (this.#closing) return;
    const free = this.#options.concurrency - this.#hands.size - this.#asks;
    for (let n = 0; n < Math.min(free, most); n++) this.#guard(this.#ask());
  }

  async #ask(): Promise<void> {
    this.#asks += 1;
    const input = { project: this.#hub.project, request_id: randomUUID() };
    const took = await this.#claiming
      .ask(() => insist(() => this.#hub.call('item.claim_next', input, untilAnswered)))
      .catch((error: unknown) => {
        if (!(error instanceof Refusal) || error.code !== 'INTERNAL') throw error;
        this.#ledger.fault('The hub did not say what is ready; it is asked again later.', error);
        return false;
      })
      .finally(() => (this.#asks -= 1));
    this.#freed(took);
  }

  /** A place came free, or was not taken: asks again when there may be something. */
  #freed(maybeMore: boolean): void {
    this.#notify();
    if (!maybeMore && !this.#missed) return;
    this.#missed = false;
    this.#fill(1);
  }

  #offered(): void {
    if (this.#hands.size + this.#asks < this.#options.concurrency) this.#fill(1);
    else this.#missed = true;
  }

  /** Closing goes on whatever happens, and always ends. */
  async #leave(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#idle);
    this.#hands.beginClosing();
    await this.#until(() => this.#hands.size === 0, this.#hurry.promise);
    this.#hands.shutDown();
    await this.#until(() => this.#hands.size === 0, pause(this.#options.stopMs ?? stopMsDefault));
    this.#hands.giveBack(farewellMs);
    // A claim that is still being asked for is given back when it comes.
    await this.#until(() => this.#claiming.underWay === 0 && this.#hands.isLeft, pause(farewellMs));
    this.#hands.abandon();
    for (const off of this.#off) off();
    this.#isClosed = true;
    if (this.#failure) this.#closed.reject(this.#failure);
    else this.#closed.resolve();
  }

  /** It cannot go on. */
  #fail(error: Error): void {
    if (this.#failure || this.#isClosed) return;
    this.#failure = error;
    this.#ledger.fault('The worker stops.', error);
    void this.close({ drainMs: 0 }).catch(() => {});
  }

  #guard(promise: Promise<unknown>): void {
    promise.catch((error: Error) => this.#fail(error));
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  async #until(holds: () => boolean, otherwise: Promise<unknown>): Promise<void> {
    let isOver = false;
    void otherwise.then(() => {
      isOver = true;
      this.#notify();
    });
    while (!holds() && !isOver) await this.#changed.promise;
  }
}

const pause = (ms: number) => sleep(ms, undefined, { ref: false });
