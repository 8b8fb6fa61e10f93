import type { Item } from '@switchyard/shared/item';

const shownMax = 2;

/** What an item waits for, as far as a row has room: what is open comes first. None of what is over. */
export function linksOf({ status, blocked_by, dependencies }: Item): { shown: string[]; all: number } {
  if (status === 'done' || status === 'cancelled') return { shown: [], all: 0 };
  const all = new Set([...blocked_by, ...dependencies]);
  return { shown: [...all].slice(0, shownMax), all: all.size };
}
