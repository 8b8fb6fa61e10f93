import type { Entry, LogRow } from './domain/journal.ts';
import { prune } from './domain/requests.ts';
import { lookForSweep } from './domain/sweep.ts';
import type { Hub } from './hub.ts';
import type { Work } from './lanes.ts';

const tickMsMax = 1_000;
const stallMs = 1_000;
const pruneEveryMs = 60_000;

/**
 * Puts back what was let lapse, and retries what fell due. Any number of hubs may sweep at once: the condition stands in
 * the statement. After this hub's start, an outage of the database, or a stall of its own, it waits one full grace
 * period first, so that agents which could not reach it may return. No project waits for another: one may be locked.
 */
export class Sweeper {
  readonly #hub: Hub;
  readonly #tickMs: number;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | null = null;
  #heldUntilMs: number;
  #lastTickMs = performance.now();
  #pruneAtMs = 0;
  #looking = false;
  #stopped = false;
  /** The database's clock and ours, when it was last looked at. */
  #clocks: { databaseMs: number; ownMs: number } | null = null;
  readonly #sweeping = new Set<string>();
  /** Projects that could not be swept, and until when they are left alone; their agents were perhaps not heard either. */
  readonly #heldProjects = new Map<string, number>();

  constructor(hub: Hub) {
    this.#hub = hub;
    const { leaseSeconds, graceSeconds } = hub.timing;
    this.#graceMs = graceSeconds * 1_000;
    this.#tickMs = Math.max(50, Math.min(tickMsMax, (Math.min(leaseSeconds, graceSeconds) * 1_000) / 4));
    this.#heldUntilMs = performance.now() + this.#graceMs;
  }

  start(): void {
    this.#lastTickMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), this.#tickMs);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#lastTickMs > this.#tickMs + stallMs) this.#hold();
    this.#lastTickMs = now;
    // A database that takes its time is no stall.
    if (this.#looking) return;
    this.#looking = true;
    this.#look()
      .catch((error: unknown) => this.#hub.log.debug({ err: error }, 'could not sweep; will try again'))
      .finally(() => (this.#looking = false));
  }

  #hold(): void {
    this.#heldUntilMs = performance.now() + this.#graceMs;
  }

  async #look(): Promise<void> {
    const { db } = this.#hub;
    const { projects, now, now_ms: databaseMs } = await db.control(lookForSweep);
    const ownMs = performance.now();
    // Ours stands still while the machine sleeps, and leases run on.
    const slept = this.#clocks && databaseMs - this.#clocks.databaseMs > ownMs - this.#clocks.ownMs + stallMs;
    if (slept) this.#hold();
    this.#clocks = { databaseMs, ownMs };
    for (const projectId of projects) if (!this.#sweeping.has(projectId)) void this.#sweep(projectId, now);
    if (ownMs >= this.#pruneAtMs) {
      this.#pruneAtMs = ownMs + pruneEveryMs;
      if (await db.control(prune)) this.#pruneAtMs = ownMs;
    }
  }

  /** Of leases, those that had ended `before`: this hub may be stopped between its look and its statement, too. */
  async #sweep(projectId: string, before: string): Promise<void> {
    const { works, log } = this.#hub;
    this.#sweeping.add(projectId);
    try {
      await this.#all(projectId, works.requeueDue, { actor: 'hub' });
      if (this.#heldProjects.get(projectId) === Infinity)
        this.#heldProjects.set(projectId, performance.now() + this.#graceMs);
      if (!this.#mayTake(projectId)) return;
      const rows = await this.#all(projectId, works.sweep, { actor: 'hub', before });
      const taken = rows.filter((row) => row.type === 'item.requeued').length;
      if (taken > 0) log.info({ projectId, taken }, 'put back items whose agents fell silent');
    } catch (error) {
      const known = this.#heldProjects.get(projectId) === Infinity;
      this.#heldProjects.set(projectId, Infinity);
      if (!known) log.warn({ err: error, projectId }, 'could not sweep a project; will try again');
    } finally {
      this.#sweeping.delete(projectId);
    }
  }

  /** A page after the other; agents get a turn in between. */
  async #all<E extends Entry>(projectId: string, work: Work<E>, entry: E): Promise<LogRow[]> {
    const rows: LogRow[] = [];
    for (let more = true; more && !this.#stopped;) {
      const outcome = await this.#hub.lanes.submit(projectId, work, entry, { alone: true });
      if (outcome.kind === 'rows') rows.push(...outcome.rows);
      more = outcome.kind === 'rows' && outcome.note === 'more';
    }
    return rows;
  }

  #mayTake(projectId: string): boolean {
    const { db } = this.#hub;
    const sinceOutageMs = db.recoveredAtMs > 0 ? db.recoveredAtMs + this.#graceMs : 0;
    const projectMs = this.#heldProjects.get(projectId) ?? 0;
    if (!db.reachable || performance.now() < Math.max(this.#heldUntilMs, sinceOutageMs, projectMs))
      return false;
    this.#heldProjects.delete(projectId);
    return true;
  }
}
