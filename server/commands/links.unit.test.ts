import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cycleRefusal, findCycle, itemsFrom, refuseRepeats } from './links.ts';

const at = (place: number) => `items.${place}.`;
const caught = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe('findCycle', () => {
  const graphOf = (edges: [number, number][]) => {
    const graph = new Map<string, string[]>();
    for (const [from, to] of edges) graph.set(`${from}`, [...(graph.get(`${from}`) ?? []), `${to}`]);
    return graph;
  };
  const edges = (max: number) => fc.array(fc.tuple(fc.nat(max), fc.nat(max)), { maxLength: 30 });

  test('[DP8] finds none where every link leads downwards', () => {
    const downwards = edges(12).map((all) => all.filter(([from, to]) => from > to));
    fc.assert(fc.property(downwards, (all) => findCycle(graphOf(all)) === null));
  });

  test('[DP8] finds a real one wherever there is one, and none elsewhere', () => {
    fc.assert(
      fc.property(edges(7), (all) => {
        const graph = graphOf(all);
        const cycle = findCycle(graph);
        // Taking away, again and again, what waits for nothing leaves exactly what is in or before a cycle.
        const left = new Map(graph);
        for (let before = -1; before !== left.size;) {
          before = left.size;
          for (const [id, targets] of left) if (!targets.some((target) => left.has(target))) left.delete(id);
        }
        if (left.size === 0) return cycle === null;
        return (
          cycle !== null &&
          new Set(cycle).size === cycle.length &&
          cycle.every((id, n) => graph.get(id)!.includes(cycle[(n + 1) % cycle.length]!))
        );
      }),
    );
  });

  test('[DP9] does not run out of stack on a chain of 100,000', () => {
    const chain = graphOf(Array.from({ length: 100_000 }, (_, n) => [n, n + 1]));
    expect(findCycle(chain)).toBeNull();
    expect(findCycle(chain.set('100000', ['0']))).toHaveLength(100_001);
  });
});

describe('itemsFrom', () => {
  test('[DP6] gives ids, and turns refs into them', () => {
    const id = '01890000-0000-7000-8000-00000000000A';
    const [a, b] = itemsFrom(
      [
        { title: 'a', ref: 'x' },
        { title: 'b', dependencies: ['x', id], parent_item_id: null },
      ],
      at,
    );
    expect(b).toMatchObject({ dependencies: [a!.id, id.toLowerCase()], parent_item_id: null });
    expect(a!.id).not.toBe(b!.id);
    expect(a).toMatchObject({
      priority: 5,
      max_attempts: 1,
      status: 'todo',
      metadata: {},
      files_planned: [],
    });
  });

  test('[DP6] a ref that looks like an id names the item of this array', () => {
    const ref = '01890000-0000-7000-8000-00000000000A';
    const [a, b] = itemsFrom(
      [
        { title: 'a', ref },
        { title: 'b', dependencies: [ref] },
      ],
      at,
    );
    expect(b!.dependencies).toEqual([a!.id]);
  });

  test.each([
    [
      [
        { title: 'a', ref: 'x' },
        { title: 'b', ref: 'x' },
      ],
      'items.1.ref',
    ],
    [[{ title: 'a', dependencies: ['nowhere'] }], 'items.0.dependencies.0'],
    [[{ title: 'a', parent_item_id: 'nowhere' }], 'items.0.parent_item_id'],
    [
      [
        { title: 'a', ref: 'x' },
        { title: 'b', dependencies: ['x', 'x'] },
      ],
      'items.1.dependencies.1',
    ],
  ])('[DP6] says where a link is wrong: %j', (drafts, path) => {
    expect(caught(() => itemsFrom(drafts, at))).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path }] },
    });
  });

  test('[DP8] refuses what is cyclic in itself', () => {
    const drafts = [
      { title: 'parent', ref: 'p', dependencies: ['c'] },
      { title: 'child', ref: 'c', dependencies: ['d'] },
      { title: 'other', ref: 'd', parent_item_id: 'c' },
    ];
    // c waits for d twice over: as its dependency and as its child.
    expect(itemsFrom(drafts, at)).toHaveLength(3);
    drafts[2] = { title: 'other', ref: 'd', dependencies: ['p'] };
    expect(caught(() => itemsFrom(drafts, at))).toMatchObject({ code: 'DEPENDENCY_CYCLE' });
  });
});

test('refuseRepeats names the second of two', () => {
  expect(caught(() => refuseRepeats(['a', 'b', 'a'], 'x'))).toMatchObject({
    details: { issues: [{ path: 'x.2' }] },
  });
  expect(caught(() => refuseRepeats(['a', 'b'], 'x'))).toBeUndefined();
  expect(cycleRefusal(['a', 'b'])).toMatchObject({ code: 'DEPENDENCY_CYCLE', details: { path: ['a', 'b'] } });
});
