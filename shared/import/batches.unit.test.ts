import { expect, test } from 'vitest';
import { batchesOf, linksOf } from './batches.ts';
import type { PlanItem } from './plan.ts';
import { itemOf } from './test-items.ts';

const keys = (batches: PlanItem[][]) => batches.map((batch) => batch.map((item) => item.key));

/** Items whose parent or dependency is in a later array than their own. */
function forward(batches: PlanItem[][]): string[] {
  const arrayOf = new Map(batches.flatMap((batch, n) => batch.map((item) => [item.key, n] as const)));
  return batches.flatMap((batch, n) =>
    batch.filter((item) => linksOf(item).some((key) => arrayOf.get(key)! > n)).map((item) => item.key),
  );
}

test('what fits one message is one array, in the order it came', () => {
  expect(keys(batchesOf([itemOf('c', null, ['a']), itemOf('a', 'b'), itemOf('b')]))).toEqual([
    ['c', 'a', 'b'],
  ]);
  expect(batchesOf([])).toEqual([]);
});

test('more than 1,000 items are cut so that links lead backwards', () => {
  const items = Array.from({ length: 2_500 }, (_, n) => itemOf(String(n), n < 2_499 ? String(n + 1) : null));
  const batches = batchesOf(items);
  expect(batches.map((batch) => batch.length)).toEqual([1_000, 1_000, 500]);
  expect(forward(batches)).toEqual([]);
});

test('a message stays below 1 MiB', () => {
  const items = Array.from({ length: 60 }, (_, n) => ({
    ...itemOf(String(n)),
    description: 'ä'.repeat(50_000),
  }));
  const batches = batchesOf(items);
  expect(batches.length).toBeGreaterThan(5);
  for (const batch of batches) expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThan(1024 * 1024);
});

test('items that name one another stay together', () => {
  // p has the child c, and waits for x, which waits for c: each names another.
  const ring = [itemOf('p', null, ['x']), itemOf('x', null, ['c']), itemOf('c', 'p')];
  const many = Array.from({ length: 999 }, (_, n) => itemOf(String(n)));
  const batches = batchesOf([ring[0]!, ...many, ring[1]!, ring[2]!]);
  expect(forward(batches)).toEqual([]);
});

test('a ring that is larger than a message is cut all the same', () => {
  const children = Array.from({ length: 1_500 }, (_, n) => itemOf(`c${n}`, 'p'));
  const batches = batchesOf([
    itemOf(
      'p',
      null,
      children.slice(0, 900).map((item) => item.key),
    ),
    ...children,
  ]);
  expect(batches.flat()).toHaveLength(1_501);
  expect(batches.every((batch) => batch.length <= 1_000)).toBe(true);
});
