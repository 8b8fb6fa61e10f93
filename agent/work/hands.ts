import type { ClaimRef } from '@switchyard/shared/agent';
import { Refusal } from '@switchyard/shared/errors';
import type { Claim, Conflict } from '@switchyard/shared/item';
import type { ClaimConflicts } from '@switchyard/shared/protocol';
import { unreachable } from '../session.ts';
import { keyOf, type Claiming } from './claiming.ts';
import type { Handler } from './context.ts';
import { deliver, type NextAnswer } from './deliver.ts';
import type { WorkHub } from './hub.ts';
import type { Ledger } from './ledger.ts';
import type { Outcome } from './outcome.ts';
import { Run } from './run.ts';

export interface HandsOptions {
  hub: WorkHub;
  handler: Handler;
  ledger: Ledger;
  claiming: Claiming;
  onChange: () => void;
  /** A place came free; whether there may be more to claim. */
  onFree: (maybeMore: boolean) => void;
  /** Something went wrong that is no handler's doing. */
  onBug: (error: Error) => void;
}

/** The items that handlers have in hand, from the claim to the moment when the hub knows how each ended. */
export class Hands {
  readonly #options: HandsOptions;
  readonly #runs = new Map<string, Run>();
  #isClosing = false;

  constructor(options: HandsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#runs.size;
  }

  /** Begins to work on a claim, unless that goes on already. One that comes while closing is given back. */
  take(claim: Claim, conflicts: readonly Conflict[]): void {
    const { hub, ledger, onBug } = this.#options;
    const key = keyOf(claim.item.id, claim.attempt);
    if (this.#runs.has(key)) return;
    const run = new Run(hub, claim, conflicts, (message, error) => ledger.fault(message, error));
    this.#runs.set(key, run);
    this.#changed();
    ledger.claimed(run);
    if (this.#isClosing) run.shutDown();
    this.#work(run).catch(onBug);
  }

  /** False: nobody works on that. */
  cancel({ item_id, attempt, reason }: ClaimRef, acknowledge: () => void): boolean {
    const run = this.#runs.get(keyOf(item_id, attempt));
    run?.cancel(reason, acknowledge);
    return run !== undefined;
  }

  lose({ item_id, attempt, reason }: ClaimRef): void {
    const run = this.#runs.get(keyOf(item_id, attempt));
    if (reason === unreachable) run?.mayBeLost();
    else run?.lose(reason);
  }

  loseAll(reason: string): void {
    for (const run of this.#runs.values()) run.lose(reason);
  }

  hearConflicts(type: 'detected' | 'resolved', { item_id, attempt, conflicts }: ClaimConflicts): void {
    this.#runs.get(keyOf(item_id, attempt))?.hearConflicts(type, conflicts);
  }

  refreshConflicts(): void {
    for (const run of this.#runs.values()) void run.refreshConflicts();
  }

  /** From now on ends bring no further claims. */
  beginClosing(): void {
    this.#isClosing = true;
  }

  shutDown(): void {
    for (const run of this.#runs.values()) run.shutDown();
  }

  /** Gives back what is in the hands of handlers that ignore their signal; what they do from now on is their own. */
  giveBack(timeoutMs: number): void {
    for (const run of this.#runs.values()) this.#giveBack(run, timeoutMs).catch(this.#options.onBug);
  }

  /** Nothing is left that the hub could be told. */
  get isLeft(): boolean {
    return [...this.#runs.values()].every((run) => run.abandoned);
  }

  /** Does not wait any longer for a hub to take what it is told. */
  abandon(): void {
    for (const run of this.#runs.values()) {
      if (run.abandoned) continue;
      run.abandoned = true;
      this.#options.ledger.over(run, 'No hub could be told before the worker closed.');
    }
  }

  async #work(run: Run): Promise<void> {
    await run.execute(this.#options.handler);
    const maybeMore = await this.#end(run);
    this.#runs.delete(keyOf(run.item.id, run.attempt));
    this.#changed();
    this.#options.onFree(maybeMore);
  }

  /** Tells the hub how it ended; false when it answered that nothing is ready just now. */
  async #end(run: Run): Promise<boolean> {
    const reason = run.stopped?.message ?? '';
    if (run.over) return this.#endOver(run, reason);
    if (run.abandoned) return run.outcome !== null && this.#endOver(run, reason);
    const wish = run.outcome ?? { kind: 'release', reason };
    try {
      const chains = wish.kind !== 'release' && !this.#isClosing;
      if (chains) return await this.#options.claiming.ask(() => this.#tell(run, wish, true));
      await this.#tell(run, wish, false);
      return true;
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (run.abandoned) return false; // that was said already
      run.hearRefusal(refusal);
      return this.#endOver(run, refusal.message);
    }
  }

  async #tell(run: Run, wish: Outcome, claimNext: boolean): Promise<NextAnswer | null> {
    const { outcome, next } = await deliver(this.#options.hub, run, wish, claimNext);
    if (!run.abandoned) this.#options.ledger.ended(run, outcome);
    return next;
  }

  #endOver(run: Run, reason: string): true {
    run.acknowledge();
    this.#options.ledger.over(run, reason);
    return true;
  }

  async #giveBack(run: Run, timeoutMs: number): Promise<void> {
    const { hub, ledger } = this.#options;
    if (run.isSettled) return; // the hub is being told already
    if (!run.over) {
      const reason = 'The worker closed, and the handler did not stop.';
      const input = { id: run.item.id, attempt: run.attempt, reason };
      const released = await hub.call('item.release', input, { timeoutMs }).catch(() => null);
      if (!released) return;
      ledger.ended(run, { kind: 'release', reason });
    }
    run.abandoned = true;
    this.#changed();
  }

  #changed(): void {
    this.#options.ledger.stats.running = this.#runs.size;
    this.#options.onChange();
  }
}
