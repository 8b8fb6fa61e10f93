import type { Database } from './db/database.ts';
import type { Feed } from './feed.ts';
import type { Lanes } from './lanes.ts';
import type { Logger } from './log.ts';
import type { Timing } from './settings.ts';
import type { Works } from './works.ts';

/** What every part of a running hub shares. Nothing in it is worth keeping: the truth is in PostgreSQL. */
export interface Hub {
  db: Database;
  lanes: Lanes;
  works: Works;
  feed: Feed;
  /** Tells the other hubs that this one wrote to the log of a project. */
  wrote: (projectId: string) => void;
  log: Logger;
  timing: Timing;
  /** Requests being answered, by caller and request_id. */
  underWay: Map<string, Promise<unknown>>;
}
