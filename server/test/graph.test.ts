import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '@switchyard/shared/limits';
import type { Item } from '@switchyard/shared/item';
import { call, newProject, refusal, startTestHub, type TestHub } from './setup/hub.ts';
import { makeAll } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const project = async () => (await newProject(hub)).id;
const graph = async (item: Item, more: { depth?: number; limit?: number } = {}) => {
  const { items, total } = await call(hub, 'item.graph', { id: item.id, ...more });
  return { numbers: items.map((one) => one.number), total, items };
};

/** Each waits for the one before it. */
const chain = (length: number) =>
  Array.from({ length }, (_, n) => ({ ref: `r${n}`, ...(n > 0 ? { dependencies: [`r${n - 1}`] } : {}) }));

describe('item.graph', () => {
  test('[GR1] goes both ways, by dependencies and parents, and not round the corner', async () => {
    const [first, , third, , , , alone] = await makeAll(hub, await project(), [
      { ref: 'first' },
      { ref: 'second', dependencies: ['first'] },
      { ref: 'third', dependencies: ['second'] },
      { title: 'also waits for the first', dependencies: ['first'] },
      { title: 'child of the third', parent_item_id: 'third' },
      { title: 'waits for the third', dependencies: ['third'] },
      { title: 'alone' },
    ]);
    const near = await graph(third!, { depth: 1 });
    expect([near.numbers[0], [...near.numbers].sort(), near.total]).toEqual([3, [2, 3, 5, 6], 4]);
    expect((await graph(third!)).numbers.toSorted()).toEqual([1, 2, 3, 5, 6]);
    expect((await graph(first!)).numbers.toSorted()).toEqual([1, 2, 3, 4, 6]);
    expect((await graph(near.items.find((one) => one.number === 5)!)).numbers).toEqual([5, 3, 6]);
    expect(await graph(alone!)).toMatchObject({ numbers: [7], total: 1 });
    expect(near.items[0]).toEqual((await call(hub, 'item.get', { id: third!.id })).item);
  });

  test('[GR2] the nearest come first, up to the limit, and all are counted', async () => {
    const items = await makeAll(hub, await project(), chain(1_000));
    const middle = items[500]!;
    const all = await graph(middle);
    expect([all.numbers.length, all.total]).toEqual([limits.graphMax, 1_000]);
    expect(all.numbers.every((number) => Math.abs(number - 501) <= limits.graphMax / 2)).toBe(true);
    const steps = await graph(middle, { depth: 2 });
    expect([steps.numbers[0], steps.numbers.toSorted(), steps.total]).toEqual([
      501,
      [499, 500, 501, 502, 503],
      5,
    ]);
    expect((await graph(middle, { limit: 1 })).numbers).toEqual([501]);
    expect((await refusal(graph(middle, { limit: limits.graphMax + 1 }))).code).toBe('VALIDATION');
  });

  test('[GR2] what is linked in many ways is there once', async () => {
    const layers = Array.from({ length: 12 }, (_, layer) =>
      Array.from({ length: 20 }, (_, n) => ({
        ref: `${layer}.${n}`,
        ...(layer > 0 ? { dependencies: Array.from({ length: 20 }, (_, k) => `${layer - 1}.${k}`) } : {}),
      })),
    );
    const items = await makeAll(hub, await project(), layers.flat());
    const last = await graph(items.at(-1)!);
    expect([new Set(last.numbers).size, last.numbers.length, last.total]).toEqual([221, 221, 221]);
    expect(await graph(items.at(-1)!, { depth: 3 })).toMatchObject({ total: 61 });
  });
});
