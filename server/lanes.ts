import { setImmediate as immediate } from 'node:timers/promises';
import { Refusal } from '@switchyard/shared/errors';
import { isOutage } from './db/outage.ts';
import type { Database, Sql } from './db/database.ts';
import type { Entry, LogRow, Outcome } from './domain/journal.ts';

/** A kind of change, and where in a turn it comes. */
export interface Work<E extends Entry> {
  name: string;
  phase: number;
  run(sql: Sql, projectId: string, entries: readonly E[]): Promise<Outcome[]>;
}

interface Waiting<E extends Entry> {
  entry: E;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

interface Batch {
  work: Work<Entry>;
  waiting: Waiting<Entry>[];
}

const batchMax = 256;
const waitingMax = 20_000;

/**
 * One lane per project pays for the lock on the project's row: changes that arrive while the last turn is under way
 * go out together in the next, one statement for each kind, all sent at once down one connection. Nothing waits for a
 * timer, and an idle hub answers at once. Within a turn the phases put what frees items before what claims them.
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
  #batches = new Map<string, Batch>();
  #count = 0;
  #single = 0;
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
    if (this.#count >= waitingMax) {
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
      this.#count++;
      this.#batchFor(work, key, alone).waiting.push({ entry, resolve, reject });
      if (!this.#running) {
        this.#running = true;
        this.turning = this.#turns();
      }
    });
  }

  #batchFor(work: Work<Entry>, key: string, alone: boolean): Batch {
    const base = `${work.name} ${key}`;
    let name = alone ? `${base} ${++this.#single}` : base;
    while ((this.#batches.get(name)?.waiting.length ?? 0) >= batchMax) name += '+';
    let batch = this.#batches.get(name);
    if (!batch) this.#batches.set(name, (batch = { work, waiting: [] }));
    return batch;
  }

  async #turns(): Promise<void> {
    while (this.#batches.size > 0) {
      // What has arrived but was not read yet comes along.
      await immediate();
      const turn = [...this.#batches.values()].sort((a, b) => a.work.phase - b.work.phase);
      this.#batches = new Map();
      this.#count = 0;
      // One turn at a time: with a second under way the batches halve, and a cycle cost some 15 % more CPU.
      await Promise.all(turn.map((batch) => this.#run(batch)));
    }
    this.#running = false;
    this.#idle();
  }

  async #run({ work, waiting }: Batch): Promise<void> {
    const entries = waiting.map((one) => one.entry);
    try {
      const outcomes = await this.#db.lane(this.#projectId, (sql) => work.run(sql, this.#projectId, entries));
      waiting.forEach((one, place) => one.resolve(outcomes[place]!));
      this.#tell(outcomes);
    } catch (error) {
      // One entry that PostgreSQL cannot digest must not take its neighbours down.
      if (waiting.length > 1 && !isOutage(error) && !(error instanceof Refusal)) {
        for (const one of waiting) await this.#run({ work, waiting: [one] });
      } else waiting.forEach((one) => one.reject(error));
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
