import { randomUUID } from 'node:crypto';
import type { Database } from './db/database.ts';
import type { Feed } from './feed.ts';
import type { Logger } from './log.ts';

const channel = 'switchyard';
const coalesceMs = 20;
const pollMs = 2_000;

/**
 * Wakes the other hubs. NOTIFY is sent in a statement of its own, coalesced: inside the writing transaction it takes a
 * lock that has stopped whole databases. Losing one costs at most a poll.
 */
export class Notifier {
  readonly #hubId = randomUUID();
  readonly #db: Database;
  readonly #log: Logger;
  readonly #dirty = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  #poll: NodeJS.Timeout | null = null;

  constructor(db: Database, log: Logger) {
    this.#db = db;
    this.#log = log;
  }

  async start(feed: Feed): Promise<void> {
    const heard = (payload: string) => {
      const [hubId, ...ids] = payload.split(' ');
      if (hubId !== this.#hubId) ids.forEach((id) => feed.wake(id));
    };
    await this.#db.listen(channel, heard, () => feed.wakeAll());
    const poll = () => {
      feed
        .poll()
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
