import { expect, test } from 'vitest';
import type { Claim } from '@switchyard/shared/item';
import { Claiming } from './claiming.ts';
import type { NextAnswer } from './deliver.ts';
import type { WorkHub } from './hub.ts';

/** Of one connection that stays. */
const hub = { connections: () => 1 } as WorkHub;
const claimOf = (id: string) => ({ item: { id }, attempt: 1 }) as Claim;
const answerWith = (id: string) => ({ claim: claimOf(id), conflicts: [] }) as NextAnswer;
const ref = (item_id: string) => ({ item_id, attempt: 1, reason: 'cancelled' });

function scene() {
  const taken: string[] = [];
  const claiming = new Claiming(hub, ({ item }) => taken.push(item.id));
  const answer = Promise.withResolvers<NextAnswer>();
  return { taken, claiming, answer };
}

test('a cancel that overtakes the answer keeps the work from beginning, and is confirmed when that is known', async () => {
  const { taken, claiming, answer } = scene();
  const asked = claiming.ask(() => answer.promise);
  const confirmed: string[] = [];
  claiming.cancel(ref('a'), () => confirmed.push('a'));
  expect(confirmed).toEqual([]);
  answer.resolve(answerWith('a'));
  await asked;
  expect([taken, confirmed]).toEqual([[], ['a']]);
  claiming.cancel(ref('b'), () => confirmed.push('b'));
  expect(confirmed).toEqual(['a', 'b']);
});

test('a claim that was told of before its answer came is taken once, however soon it is over', async () => {
  const { taken, claiming, answer } = scene();
  const asked = claiming.ask(() => answer.promise);
  claiming.adopt(claimOf('a'));
  answer.resolve(answerWith('a'));
  expect(await asked).toBe(true);
  expect(taken).toEqual(['a']);
});
