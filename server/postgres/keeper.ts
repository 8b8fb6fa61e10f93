// Nobody else looks after the hub's own PostgreSQL: when it has died (a full disk, the system out of memory, a kill) it is
// started again, where it was, so that the hub's connections find it.
import type { Place } from './place.ts';
import { isRunning } from './postmaster.ts';
import type { Postmaster } from './postmaster.ts';

/** A server tells nobody that it has died, least of all one that was adopted. */
const lookEveryMs = 1_000;
const againMsMin = 1_000;
const againMsMax = 30_000;

export interface Keeper {
  /** Starts nothing any more. Resolves with the process that was kept last, dead or alive. */
  stop(): Promise<number>;
}

/**
 * Starts a server again whenever it is found dead, over and over with growing pauses until it runs.
 * @param start in the same place
 */
export function keepRunning(
  { database, log: logFile }: Place,
  first: Postmaster,
  start: () => Promise<Postmaster>,
  log: (message: string) => void,
): Keeper {
  let { pid } = first;
  let stopped = false;
  let starting = Promise.resolve();
  let timer = setTimeout(look, lookEveryMs).unref();

  function look(): void {
    if (isRunning(database, pid)) return lookAgainIn(lookEveryMs);
    log(`PostgreSQL died and is started again. See ${logFile}`);
    bringBack(againMsMin);
  }

  function bringBack(nextTryMs: number): void {
    starting = start().then(
      (server) => {
        pid = server.pid;
        log('PostgreSQL runs again.');
        lookAgainIn(lookEveryMs);
      },
      (error: unknown) => {
        log(`${(error as Error).message}\nIt is tried again in ${nextTryMs / 1_000} s.`);
        after(nextTryMs, () => bringBack(Math.min(2 * nextTryMs, againMsMax)));
      },
    );
  }

  const lookAgainIn = (ms: number) => after(ms, look);

  function after(ms: number, next: () => void): void {
    if (!stopped) timer = setTimeout(next, ms).unref();
  }

  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await starting;
      return pid;
    },
  };
}
