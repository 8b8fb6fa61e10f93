import { createHash } from 'node:crypto';

/**
 * A number in [0, 1) that depends on nothing but what it is asked for: with one seed every item fares the same in
 * every run, whichever agent gets it and in whatever order.
 *
 *     if (chance(seed, item.number, attempt, 'fail') < 0.05) …
 */
export function chance(...of: (string | number)[]): number {
  return createHash('sha256').update(of.join('/')).digest().readUIntBE(0, 6) / 2 ** 48;
}
