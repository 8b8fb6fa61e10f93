import { inspect } from 'node:util';
import type { LostOutcome, WorkEvent, WorkOptions, WorkStats } from './options.ts';
import type { Outcome } from './outcome.ts';
import type { Run } from './run.ts';

const ended = { complete: 'completed', fail: 'failed', release: 'released' } as const;

/** Counts what became of items, and tells whoever wants to hear. */
export class Ledger {
  readonly stats: WorkStats = {
    claimed: 0,
    completed: 0,
    failed: 0,
    released: 0,
    cancelled: 0,
    lost: 0,
    running: 0,
  };
  readonly #options: Pick<WorkOptions, 'onEvent' | 'onLost'>;

  readonly #throws = new Set<string>();

  constructor(options: Pick<WorkOptions, 'onEvent' | 'onLost'>) {
    this.#options = options;
  }

  claimed(run: Run): void {
    this.#take('claimed', run, run.item.title);
  }

  ended(run: Run, outcome: Outcome): void {
    const message =
      outcome.kind === 'complete'
        ? outcome.result_summary
        : outcome.kind === 'fail'
          ? outcome.failure_reason
          : outcome.reason;
    this.#take(ended[outcome.kind], run, message);
  }

  /** The hub has ended the claim, or cannot be told how it ended. What came of the work is not dropped without a word. */
  over(run: Run, reason: string): void {
    this.#take(run.over === 'cancelled' ? 'cancelled' : 'lost', run, reason);
    if (run.outcome && run.outcome.kind !== 'release')
      this.#loseOutcome({ item: run.item, attempt: run.attempt, outcome: run.outcome, reason });
  }

  fault(message: string, error: unknown): void {
    this.#say({ type: 'fault', item: null, attempt: null, message, error });
  }

  #loseOutcome(lost: LostOutcome): void {
    const { onLost } = this.#options;
    if (onLost) return this.#unharmed('onLost', () => onLost(lost));
    const what = `The result of #${lost.item.number} (attempt ${lost.attempt}) was not taken`;
    warn(`${what}: ${lost.reason}`, JSON.stringify(lost.outcome));
  }

  #take(type: keyof WorkStats & WorkEvent['type'], { item, attempt, threw }: Run, message: string): void {
    this.stats[type] += 1;
    this.#say({ type, item, attempt, message, ...(threw === undefined ? {} : { error: threw }) });
  }

  #say(event: WorkEvent): void {
    const { onEvent } = this.#options;
    if (onEvent) this.#unharmed('onEvent', () => onEvent(event));
    else if (event.type === 'fault') warn(event.message, inspect(event.error));
  }

  /** Who only listens cannot stop the work; that it throws is said once. */
  #unharmed(name: string, tell: () => void): void {
    try {
      tell();
    } catch (error) {
      if (!this.#throws.has(name)) warn(`${name} threw.`, inspect(error));
      this.#throws.add(name);
    }
  }
}

function warn(message: string, detail: string): void {
  process.emitWarning(message, { type: 'SwitchyardWarning', detail });
}
