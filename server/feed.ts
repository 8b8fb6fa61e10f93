import type { Database } from './db/database.ts';
import { lastSeqs, readLog } from './domain/events.ts';
import type { LogRow } from './domain/journal.ts';
import type { Logger } from './log.ts';

/** Hears every line of a project's log once, in order, without gaps; several lines that came together at once. */
export type Listener = (projectId: string, rows: readonly LogRow[]) => void;

const pageMax = 200;
const recentMax = 1_000;
/** Descriptions may be long: a thousand lines with theirs would be 100 MB. */
const recentCharactersMax = 4_000_000;

/**
 * The log, as this hub passes it on to its sockets. Lines that the hub wrote itself come in hand; the moment one is
 * missing in between (another hub wrote it), the log is read from where we were. So are all after a notification, a
 * lost connection or the slow poll: a second hub, a restart and a reconnect are one mechanism.
 */
export class Feed {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #projects = new Map<string, ProjectFeed>();
  readonly #listeners: Listener[] = [];
  readonly #goneListeners: ((projectId: string) => void)[] = [];

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  onRows(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Hears that a project which is followed is not there any more: of that no line of its log can tell. */
  onGone(listener: (projectId: string) => void): void {
    this.#goneListeners.push(listener);
  }

  /** Follows a project from now on, until as often released. Resolves once every later line will be heard. */
  async follow(projectId: string): Promise<ProjectFeed> {
    let feed = this.#projects.get(projectId);
    if (!feed) {
      feed = new ProjectFeed(projectId, this.#db, (rows) => this.#deliver(projectId, rows));
      this.#projects.set(projectId, feed);
    }
    feed.followers++;
    try {
      await feed.started;
      return feed;
    } catch (error) {
      if (this.#projects.get(projectId) === feed) this.#projects.delete(projectId);
      throw error;
    }
  }

  release(projectId: string): void {
    const feed = this.#projects.get(projectId);
    if (feed && --feed.followers === 0) this.#projects.delete(projectId);
  }

  /** Lines that this hub has just written, in order. */
  accept(projectId: string, rows: LogRow[]): void {
    this.#projects.get(projectId)?.accept(rows);
  }

  /** Something may have been written to this project elsewhere. */
  wake(projectId: string): void {
    const feed = this.#projects.get(projectId);
    feed
      ?.catchUp()
      .catch((error: unknown) =>
        this.#log.warn({ err: error, projectId }, 'could not read the log; will try again'),
      );
  }

  wakeAll(): void {
    for (const id of this.#projects.keys()) this.wake(id);
  }

  /** The safety net under notifications: wakes what has fallen behind, and finds out what has gone. */
  async poll(): Promise<void> {
    const ids = [...this.#projects.keys()];
    if (ids.length === 0) return;
    const rows = await this.#db.control((sql) => lastSeqs(sql, ids));
    const seqs = new Map(rows.map(({ id, last_seq }) => [id, last_seq]));
    for (const id of ids) {
      const seq = seqs.get(id);
      if (seq === undefined) for (const listener of this.#goneListeners) listener(id);
      else if (seq > (this.#projects.get(id)?.position ?? Infinity)) this.wake(id);
    }
  }

  #deliver(projectId: string, rows: readonly LogRow[]): void {
    for (const listener of this.#listeners) {
      try {
        listener(projectId, rows);
      } catch (error) {
        this.#log.error({ err: error, projectId }, 'a listener of the log failed');
      }
    }
  }
}

export const charactersIn = ({ data, item }: LogRow) => data.length + (item?.length ?? 0);

export class ProjectFeed {
  followers = 0;
  /** The last seq delivered. */
  position = -1;
  readonly started: Promise<void>;
  /** The newest lines delivered, without a gap up to `position`. */
  #recent: LogRow[] = [];
  #recentCharacters = 0;
  #reading: Promise<void> | null = null;
  #again = false;
  readonly #projectId: string;
  readonly #db: Database;
  readonly #deliver: (rows: readonly LogRow[]) => void;

  constructor(projectId: string, db: Database, deliver: (rows: readonly LogRow[]) => void) {
    this.#projectId = projectId;
    this.#db = db;
    this.#deliver = deliver;
    this.started = this.#start();
  }

  accept(rows: LogRow[]): void {
    if (this.position < 0 || this.#reading) this.#again = true;
    else if (rows[0]!.seq! <= this.position + 1) this.#pass(rows);
    else void this.catchUp().catch(() => {});
  }

  /** Reads the log until nothing is left; calls that come meanwhile share the reading. */
  catchUp(): Promise<void> {
    this.#again = true;
    // It does not know yet where to read from; it reads on when it does.
    if (this.position < 0) return this.started;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  /** The lines after `seq` that were delivered already; undefined when they are not all at hand. */
  since(seq: number): LogRow[] | undefined {
    if (seq >= this.position) return [];
    if (this.#recent.length === 0 || this.#recent[0]!.seq! > seq + 1) return undefined;
    return this.#recent.filter((row) => row.seq! > seq);
  }

  async #start(): Promise<void> {
    const [row] = await this.#db.control((sql) => lastSeqs(sql, [this.#projectId]));
    this.position = row?.last_seq ?? 0;
    if (this.#again) await this.catchUp();
  }

  async #read(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        const rows = await this.#db.read((sql) => readLog(sql, this.#projectId, this.position, pageMax));
        if (rows.length === pageMax) this.#again = true;
        this.#pass(rows);
      }
    } finally {
      // In the same breath as the last look at #again: whoever asks from now on starts a new reading.
      this.#reading = null;
    }
  }

  #pass(rows: readonly LogRow[]): void {
    const fresh = rows.filter((row) => row.seq! > this.position);
    if (fresh.length === 0) return;
    this.position = fresh.at(-1)!.seq!;
    this.#remember(fresh);
    this.#deliver(fresh);
  }

  /** Forgets the oldest only now and then, and then several. */
  #remember(fresh: readonly LogRow[]): void {
    this.#recent.push(...fresh);
    for (const row of fresh) this.#recentCharacters += charactersIn(row);
    if (this.#recent.length <= 2 * recentMax && this.#recentCharacters <= 2 * recentCharactersMax) return;
    let from = 0;
    while (this.#recent.length - from > recentMax || this.#recentCharacters > recentCharactersMax)
      this.#recentCharacters -= charactersIn(this.#recent[from++]!);
    this.#recent = this.#recent.slice(from);
  }
}
