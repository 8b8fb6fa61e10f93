// PostgreSQL appends to one log file for as long as it runs; it is kept short from outside. Its own log collector
// would rotate by size into ever more files.
import { copyFileSync, readFileSync, statSync, truncateSync } from 'node:fs';

/** In bytes. There may be two files of it, the log and the one before. */
const LOG_BOUND = 4 * 1024 * 1024;
const LOOK_EVERY = 60_000;

/**
 * Looks now and every minute whether the log has grown too large, and then moves what it holds to `<path>.1`.
 * @returns stops looking
 */
export function keepLogShort(path: string, bound = LOG_BOUND): () => void {
  const look = (): void => {
    try {
      if (statSync(path).size <= bound) return;
      // Copied and emptied rather than renamed: PostgreSQL has it open, and appends.
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    } catch {
      // The log is a help. Nothing fails because of it.
    }
  };
  look();
  const timer = setInterval(look, LOOK_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}

/** The last lines of a log, for an error message. */
export function lastLines(path: string, count = 8): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}
