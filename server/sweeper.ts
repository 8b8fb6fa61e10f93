import { prune } from './domain/requests.ts';
import { projectsToSweep } from './domain/sweep.ts';
import type { Hub } from './hub.ts';

const tickMsMax = 1_000;
const stallMs = 1_000;
const pruneEveryMs = 60_000;

/**
 * Puts back what was let lapse, and retries what fell due. Any number of hubs may sweep at once: the condition stands in
 * the statement. After this hub's start, an outage of the database, or a stall of its own, it waits one full grace
 * period first, so that agents which could not reach it may return.
 */
export class Sweeper {
  readonly #hub: Hub;
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | null = null;
  #heldUntilMs: number;
  #lastTickMs = performance.now();
  #prunedAtMs = performance.now();
  #stopped = false;

  constructor(hub: Hub) {
    this.#hub = hub;
    const { leaseSeconds, graceSeconds } = hub.timing;
    this.#tickMs = Math.max(50, Math.min(tickMsMax, (Math.min(leaseSeconds, graceSeconds) * 1_000) / 4));
    this.#heldUntilMs = performance.now() + graceSeconds * 1_000;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#tick(), this.#tickMs);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  async #tick(): Promise<void> {
    const now = performance.now();
    const graceMs = this.#hub.timing.graceSeconds * 1_000;
    if (now - this.#lastTickMs > this.#tickMs + stallMs) this.#heldUntilMs = now + graceMs;
    this.#lastTickMs = now;
    try {
      await this.#sweep(graceMs);
      if (now - this.#prunedAtMs > pruneEveryMs) {
        this.#prunedAtMs = now;
        await this.#hub.db.control(prune);
      }
    } catch (error) {
      this.#hub.log.debug({ err: error }, 'could not sweep; will try again');
    }
    // The time the statements took is no stall.
    this.#lastTickMs = performance.now();
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#tick(), this.#tickMs);
  }

  async #sweep(graceMs: number): Promise<void> {
    const { db, lanes, works, log } = this.#hub;
    const projects = await db.control(projectsToSweep);
    const heldUntilMs = Math.max(this.#heldUntilMs, db.recoveredAtMs > 0 ? db.recoveredAtMs + graceMs : 0);
    const mayTake = db.reachable && performance.now() >= heldUntilMs;
    for (const projectId of projects) {
      if (this.#stopped) return;
      await lanes.submit(projectId, works.requeueDue, { actor: 'hub' }, { alone: true });
      if (!mayTake) continue;
      const outcome = await lanes.submit(projectId, works.sweep, { actor: 'hub' }, { alone: true });
      const taken =
        outcome.kind === 'rows' ? outcome.rows.filter((row) => row.type === 'item.requeued').length : 0;
      if (taken > 0) log.info({ projectId, taken }, 'put back items whose agents fell silent');
    }
  }
}
