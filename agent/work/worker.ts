import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClaimRef } from '@switchyard/shared/agent';
import { Refusal } from '@switchyard/shared/errors';
import type { Claim, Conflict } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import type { ClaimConflicts } from '@switchyard/shared/protocol';
import { unreachable } from '../session.ts';
import { Claiming, keyOf } from './claiming.ts';
import type { Handler } from './context.ts';
import { deliver, insist, type NextAnswer } from './deliver.ts';
import type { WorkHub } from './hub.ts';
import { Ledger } from './ledger.ts';
import type { Worker, WorkOptions, WorkStats } from './options.ts';
import type { Outcome } from './outcome.ts';
import { Run, untilAnswered } from './run.ts';

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
  readonly #handler: Handler;
  readonly #options: WorkOptions & { concurrency: number };
  readonly #runs = new Map<string, Run>();
  readonly #claiming: Claiming;
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
    this.#handler = handler;
    this.#options = options;
    this.#claiming = new Claiming(hub, (claim, conflicts) => this.#take(claim, conflicts));
    this.#off = [
      hub.on('session.ready', () => this.#resume()),
      hub.on('item.available', () => this.#offered()),
      hub.on('claim.cancelled', (claim, stopped) => this.#cancel(claim, stopped)),
      hub.on('claim.lost', (claim) => this.#lose(claim)),
      hub.on('conflict.detected', (told) => this.#hearConflicts('detected', told)),
      hub.on('conflict.resolved', (told) => this.#hearConflicts('resolved', told)),
    ];
    void hub.ended.then((refusal) => {
      for (const run of this.#runs.values()) run.lose(refusal.message);
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
    this.#idle = setInterval(() => this.#fill(1), idleAskMs * (0.5 + Math.random()));
  }

  /** Claims of an earlier run of this session, or whose answer was lost with the connection, are ours to work on. */
  #resume(): void {
    for (const run of this.#runs.values()) void run.refreshConflicts();
    for (const claim of this.#hub.takeOrphans()) this.#claiming.adopt(claim);
  }

  /** Asks for work for every free place, or for so many. */
  #fill(most = Infinity): void {
    if (this.#closing) return;
    const free = this.#options.concurrency - this.#runs.size - this.#asks;
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
    if (this.#runs.size + this.#asks < this.#options.concurrency) this.#fill(1);
    else this.#missed = true;
  }

  #take(claim: Claim, conflicts: readonly Conflict[]): void {
    const key = keyOf(claim.item.id, claim.attempt);
    if (this.#runs.has(key)) return;
    const run = new Run(this.#hub, claim, conflicts, (message, error) => this.#ledger.fault(message, error));
    this.#runs.set(key, run);
    this.#notify();
    this.#ledger.claimed(run);
    if (this.#closing) run.shutDown();
    this.#guard(this.#work(run));
  }

  async #work(run: Run): Promise<void> {
    await run.execute(this.#handler);
    if (run.abandoned && !run.outcome) return;
    const maybeMore = await this.#end(run);
    this.#runs.delete(keyOf(run.item.id, run.attempt));
    this.#freed(maybeMore);
  }

  /** Tells the hub how it ended; false when it answered that nothing is ready just now. */
  async #end(run: Run): Promise<boolean> {
    if (run.over || run.abandoned) return this.#endOver(run, run.stopped?.message ?? '');
    const wish = run.outcome ?? { kind: 'release', reason: run.stopped?.message ?? '' };
    try {
      const chains = wish.kind !== 'release' && !this.#closing;
      if (chains) return await this.#claiming.ask(() => this.#tell(run, wish, true));
      await this.#tell(run, wish, false);
      return true;
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      run.hearRefusal(refusal);
      return this.#endOver(run, refusal.message);
    }
  }

  async #tell(run: Run, wish: Outcome, claimNext: boolean): Promise<NextAnswer | null> {
    const { outcome, next } = await deliver(this.#hub, run, wish, claimNext);
    if (!run.abandoned) this.#ledger.ended(run, outcome);
    return next;
  }

  #endOver(run: Run, reason: string): true {
    run.acknowledge();
    this.#ledger.over(run, reason);
    return true;
  }

  #cancel({ item_id, attempt, reason }: ClaimRef, acknowledge: () => void): void {
    const run = this.#runs.get(keyOf(item_id, attempt));
    if (run) run.cancel(reason, acknowledge);
    else this.#claiming.cancel(item_id, attempt, acknowledge);
  }

  #lose({ item_id, attempt, reason }: ClaimRef): void {
    const run = this.#runs.get(keyOf(item_id, attempt));
    if (reason === unreachable) run?.mayBeLost();
    else run?.lose(reason);
  }

  #hearConflicts(type: 'detected' | 'resolved', { item_id, attempt, conflicts }: ClaimConflicts): void {
    this.#runs.get(keyOf(item_id, attempt))?.hearConflicts(type, conflicts);
  }

  /** Closing goes on whatever happens, and always ends. */
  async #leave(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#idle);
    await this.#until(() => this.#runs.size === 0, this.#hurry.promise);
    for (const run of this.#runs.values()) run.shutDown();
    await this.#until(() => this.#runs.size === 0, pause(this.#options.stopMs ?? stopMsDefault));
    for (const run of this.#runs.values()) this.#guard(this.#giveBack(run));
    // A claim that is still being asked for is given back when it comes.
    const isLeft = () =>
      this.#claiming.underWay === 0 && [...this.#runs.values()].every((run) => run.abandoned);
    await this.#until(isLeft, pause(farewellMs));
    for (const run of this.#runs.values()) this.#abandon(run);
    for (const off of this.#off) off();
    this.#isClosed = true;
    if (this.#failure) this.#closed.reject(this.#failure);
    else this.#closed.resolve();
  }

  /** Its handler ignores the signal; what it does from now on is its own. */
  async #giveBack(run: Run): Promise<void> {
    if (run.isSettled) return; // the hub is being told already
    if (!run.over) {
      const reason = 'The worker closed, and the handler did not stop.';
      const input = { id: run.item.id, attempt: run.attempt, reason };
      const released = await this.#hub
        .call('item.release', input, { timeoutMs: farewellMs })
        .catch(() => null);
      if (!released) return;
      this.#ledger.ended(run, { kind: 'release', reason });
    }
    run.abandoned = true;
    this.#notify();
  }

  #abandon(run: Run): void {
    if (run.abandoned) return;
    run.abandoned = true;
    this.#ledger.over(run, 'No hub could be told before the worker closed.');
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
    this.#ledger.stats.running = this.#runs.size;
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
