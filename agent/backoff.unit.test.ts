import { expect, test } from 'vitest';
import { backoffMs } from './backoff.ts';

test('any time from nothing to a bound that doubles, up to a cap', () => {
  for (const [tries, bound] of [
    [0, 200],
    [1, 400],
    [3, 1_600],
    [10, 5_000],
    [10_000, 5_000],
  ] as const) {
    const drawn = Array.from({ length: 2_000 }, () => backoffMs(tries, { baseMs: 200, capMs: 5_000 }));
    expect(Math.max(...drawn)).toBeLessThanOrEqual(bound);
    expect(Math.max(...drawn)).toBeGreaterThan(bound * 0.9);
    expect(Math.min(...drawn)).toBeLessThan(bound * 0.1);
  }
});
