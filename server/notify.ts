import { randomUUID } from 'node:crypto';
import type { Database } from './db/database.ts';
import type { Feed } from './feed.ts';
import type { Logger } from './log.ts';

const channel = 'switchyard';
const coalesceMs = 20;
const pollMs = 2_000;
/** Without a notification for so long, its own included, it sends an empty one to hear whether any arrive … */
const quietMs = 10_000;
/** … and without hearing that either, it listens anew: a connection can be half-open, or hang after a reset. */
const deafMs = 20_000;

/**
 * Wakes the other hubs. NOTIFY is sent in a statement of its own, coalesced: inside the writing transaction it takes a
 * lock that has stopped whole databases. Losing one costs at most a poll.
 */
export class Notifier {
  readonly #hubId = randomUUID();
  readonly #db: Database;
  readonly #log: Logger;
  readonly #dirty = new Set<string>();
  #heardAtMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  async start(feed: Feed): Promise<void> {
    const heard = (payload: string) => {
      this.#heardAtMs = performance.now();
      const [hubId, ...ids] = payload.split(' ');
      if (hubId !== this.#hubId) ids.forEach((id) => feed.wake(id));
    };
    const listen = async () => {
      await this.#db.listen(channel, heard, () => feed.wakeAll());
      this.#heardAtMs = performance.now();
    };
    await listen();
    const look = async () => {
      await feed.poll();
      const silentMs = performance.now() - this.#heardAtMs;
      if (silentMs > deafMs) await listen();
      else if (silentMs > quietMs && !this.#timer) this.#send();
    };
    const poll = () => {
      look()
        .catch((error: unknown) => this.#log.debug({ err: error }, 'could not poll the log'))
        .finally(() => (this.#poll = setTimeout(poll, pollMs)));
    };
    this.#poll = setTimeout(poll, pollMs);
  }

  /** This hub wrote to the log of a project. */
  wrote(projectId: string): void {
    this.#dirty.add(projectId);
    this.#timer ??= setTimeout(() => this.#send(), coalesceMs);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#poll) clearTimeout(this.#poll);
  }

  #send(): void {
    this.#timer = null;
    // A payload may have 8,000 bytes.
    const ids = [...this.#dirty].slice(0, 200);
    ids.forEach((id) => this.#dirty.delete(id));
    const payload = [this.#hubId, ...ids].join(' ');
    this.#db
      .control((sql) => sql`SELECT pg_notify(${channel}, ${payload})`)
      .catch((error: unknown) => this.#log.debug({ err: error }, 'could not notify the other hubs'));
    if (this.#dirty.size > 0) this.#timer = setTimeout(() => this.#send(), coalesceMs);
  }
}
