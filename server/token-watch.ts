import { spentTokens } from './domain/tokens.ts';
import type { Hub } from './hub.ts';

const lookMs = 1_000;

/** Asks every second which of the tokens in use were revoked or have expired: what they opened is closed within 2 s. */
export function watchTokens(
  hub: Hub,
  inUse: () => Iterable<string>,
  close: (spent: ReadonlySet<string>) => void,
): { stop(): void } {
  const timer = setInterval(() => {
    const ids = new Set(inUse());
    if (ids.size === 0) return;
    hub.db
      .control((sql) => spentTokens(sql, [...ids]))
      .then((spent) => {
        if (spent.length > 0) close(new Set(spent));
      })
      .catch((error: unknown) => hub.log.debug({ err: error }, 'could not look for revoked tokens'));
  }, lookMs);
  return { stop: () => clearInterval(timer) };
}
