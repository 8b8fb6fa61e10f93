import { setImmediate as immediate } from 'node:timers/promises';
import { Refusal } from '@switchyard/shared/errors';
import { isOutage } from './db/outage.ts';
import type { Database, Sql } from './db/database.ts';
import type { Entry, LogRow, Outcome } from './domain/journal.ts';

/** A kind of change. */
export interface Work<E extends Entry> {
  name: string;
  run(sql: Sql, projectId: string, entries: readonly E[]): Promise<Outcome[]>;
}

interface Waiting {
  work: Work<Entry>;
  /** What may share a statement. */
  batch: string;
  entry: Entry;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

const batchMax = 256;
const waitingMax = 20_000;
/** Fewer than this are not worth dividing: a statement costs as much to begin as some ten changes do. */
const turnMin = 16;

/**
 * One lane per project pays for the lock on the project's row: changes of one kind that arrive while the last turn is
 * under way go out together in one statement. Nothing waits for a timer, and an idle hub answers at once. What one
 * caller sends is carried out in that order, whatever its kind; between callers only who waits longest comes first.
 * Two lanes side by side only fought for the row: 4,500 cycles a second instead of 5,900.
 */
export class Lanes {
  readonly #db: Database;
  readonly #accept: (projectId: string, rows: LogRow[]) => void;
  readonly #lanes = new Map<string, Lane>();

  /** `accept` hears every line that this hub adds to a log, in the order of the log. */
  constructor(db: Database, accept: (projectId: string, rows: LogRow[]) => void) {
    this.#db = db;
    this.#accept = accept;
  }

  /**
   * Has one entry carried out with others of its `work`. Entries under another `key` come in another statement, those
   * that are `alone` in one of their own. Rejects with UNAVAILABLE when the database fails or too much waits already.
   */
  submit<E extends Entry>(
    projectId: string,
    work: Work<E>,
    entry: E,
    { key = '', alone = false }: { key?: string; alone?: boolean } = {},
  ): Promise<Outcome> {
    let lane = this.#lanes.get(projectId);
    if (!lane) {
      lane = new Lane(projectId, this.#db, this.#accept, () => this.#lanes.delete(projectId));
      this.#lanes.set(projectId, lane);
    }
    return lane.submit(work, entry, key, alone);
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all([...this.#lanes.values()].map((lane) => lane.turning));
  }
}

class Lane {
  turning: Promise<void> = Promise.resolve();
  /** Who came first is first. */
  #waiting: Waiting[] = [];
  #single = 0;
  /** How many changes of each caller wait. */
  readonly #callers = new Map<string, number>();
  /** Whose changes the last turn took. */
  #answered = new Set<string>();
  #running = false;
  readonly #projectId: string;
  readonly #db: Database;
  readonly #accept: (projectId: string, rows: LogRow[]) => void;
  readonly #idle: () => void;

  constructor(
    projectId: string,
    db: Database,
    accept: (projectId: string, rows: LogRow[]) => void,
    idle: () => void,
  ) {
    this.#projectId = projectId;
    this.#db = db;
    this.#accept = accept;
    this.#idle = idle;
  }

  submit(work: Work<Entry>, entry: Entry, key: string, alone: boolean): Promise<Outcome> {
    if (this.#waiting.length >= waitingMax) {
      const refusal = new Refusal(
        'UNAVAILABLE',
        'Too much waits for this project already. Try again in a moment.',
        {
          retry_after_ms: 1_000,
        },
      );
      return Promise.reject(refusal);
    }
    return new Promise((resolve, reject) => {
      const batch = `${work.name} ${key}${alone ? ` ${++this.#single}` : ''}`;
      this.#waiting.push({ work, batch, entry, resolve, reject });
      this.#callers.set(entry.actor, (this.#callers.get(entry.actor) ?? 0) + 1);
      if (!this.#running) {
        this.#running = true;
        this.turning = this.#turns();
      }
    });
  }

  /** Takes turns until nothing waits. */
  async #turns(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What has arrived but was not read yet comes along; what is still to be answered is.
      await immediate();
      while (this.#waiting.length > 0) await this.#turn(this.#next());
    }
    this.#running = false;
    this.#idle();
  }

  /**
   * The statements of the next turn: one for what has waited longest and all that may share it, and others only while
   * few are in it. It takes those of at most half of the callers. While the database is busy with one half,
   * the hub answers the other. When a turn took all, everybody waited for PostgreSQL, then PostgreSQL for everybody,
   * as callers that are answered together come back together: 3,500 cycles a second instead of 4,300.
   */
  #next(): Waiting[][] {
    const most = Math.max(turnMin, Math.ceil(this.#callersAbout() / 2));
    this.#answered = new Set();
    const statements: Waiting[][] = [];
    for (let taken = 0; taken < turnMin && this.#waiting.length > 0;) {
      const batch = this.#batch(most);
      for (const { entry } of batch) this.#answer(entry.actor);
      taken += batch.length;
      statements.push(batch);
    }
    return statements;
  }

  /** Those who wait, and those who were in the last turn and will soon be back. */
  #callersAbout(): number {
    let about = this.#callers.size;
    for (const actor of this.#answered) if (!this.#callers.has(actor)) about++;
    return about;
  }

  #answer(actor: string): void {
    this.#answered.add(actor);
    const more = this.#callers.get(actor)! - 1;
    if (more > 0) this.#callers.set(actor, more);
    else this.#callers.delete(actor);
  }

  /** The oldest that waits, and what may come with it; of one caller's changes none overtakes another. */
  #batch(callersMax: number): Waiting[] {
    const taken: Waiting[] = [];
    const left: Waiting[] = [];
    const behind = new Set<string>();
    const callers = new Set<string>();
    const { batch } = this.#waiting[0]!;
    let seen = 0;
    for (; seen < this.#waiting.length && taken.length < batchMax; seen++) {
      const one = this.#waiting[seen]!;
      const { actor } = one.entry;
      const comes =
        one.batch === batch && !behind.has(actor) && (callers.has(actor) || callers.size < callersMax);
      (comes ? callers : behind).add(actor);
      (comes ? taken : left).push(one);
    }
    this.#waiting = [...left, ...this.#waiting.slice(seen)];
    return taken;
  }

  /** Resolves when the database is through with a turn. The last answers are given after the next turn is on its way. */
  async #turn(batches: readonly Waiting[][]): Promise<void> {
    let left = batches.length;
    await Promise.all(
      batches.map(async (batch) => {
        const give = await this.#run(batch);
        if (--left > 0 || this.#waiting.length === 0) give();
        else setImmediate(give);
      }),
    );
  }

  /** Carries a batch out; calling what comes of it answers those who wait. */
  async #run(batch: readonly Waiting[]): Promise<() => void> {
    const entries = batch.map((one) => one.entry);
    const { work } = batch[0]!;
    try {
      const outcomes = await this.#db.lane(this.#projectId, (sql) => work.run(sql, this.#projectId, entries));
      return () => {
        batch.forEach((one, place) => one.resolve(outcomes[place]!));
        this.#tell(outcomes);
      };
    } catch (error) {
      if (batch.length === 1 || isOutage(error) || error instanceof Refusal)
        return () => batch.forEach((one) => one.reject(error));
      // One entry that PostgreSQL cannot digest must not take its neighbours down.
      for (const one of batch) (await this.#run([one]))();
      return () => {};
    }
  }

  #tell(outcomes: Outcome[]): void {
    const rows = outcomes
      .flatMap((outcome) => (outcome.kind === 'rows' ? outcome.rows : []))
      .filter((row) => row.seq !== null);
    if (rows.length > 0)
      this.#accept(
        this.#projectId,
        rows.sort((a, b) => a.seq! - b.seq!),
      );
  }
}
