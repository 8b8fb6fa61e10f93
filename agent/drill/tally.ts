import type { Report } from './messages.ts';
import type { Acknowledged } from './witness.ts';

/** What a drill has seen so far, as its agents told it. Times are in milliseconds on `performance.now()`. */
export class Tally {
  readonly startedAt = performance.now();
  readonly acknowledged: Acknowledged[] = [];
  readonly claimLatenciesMs: number[] = [];
  readonly refused = new Map<string, number>();
  readonly faults: string[] = [];
  completed = 0;
  failed = 0;
  released = 0;
  offers = 0;
  conflictNotices = 0;
  readonly killedSessions = new Set<string>();
  /** Time in which claims ended one after the other, without long pauses. */
  workMs = 0;
  #lastEndAt = 0;

  /** The agents begin. */
  start(): void {
    this.#lastEndAt = performance.now();
  }

  take(report: Report): void {
    switch (report.kind) {
      case 'claimed':
        this.claimLatenciesMs.push(report.latencyMs);
        this.#acknowledge('item.claimed', report);
        break;
      case 'ended':
        this[report.outcome] += 1;
        this.#acknowledge(`item.${report.outcome}`, report);
        this.#passTime();
        break;
      case 'refused':
        this.refused.set(report.code, (this.refused.get(report.code) ?? 0) + 1);
        break;
      case 'offered':
        this.offers += 1;
        break;
      case 'conflict':
        this.conflictNotices += 1;
        break;
      case 'fault':
        this.faults.push(report.message);
        break;
      case 'ready':
        break;
    }
  }

  get ended(): number {
    return this.completed + this.failed + this.released;
  }

  get kills(): number {
    return this.killedSessions.size;
  }

  #acknowledge(type: Acknowledged['type'], report: Omit<Acknowledged, 'type'>): void {
    const { item_id, attempt, session_id } = report;
    this.acknowledged.push({ type, item_id, attempt, session_id });
  }

  /** Longer pauses are waiting: for the claims of killed agents, and for retries to fall due. */
  #passTime(): void {
    const now = performance.now();
    if (now - this.#lastEndAt < pauseMs) this.workMs += now - this.#lastEndAt;
    this.#lastEndAt = now;
  }
}

const pauseMs = 250;
