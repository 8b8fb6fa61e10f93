import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupsOf } from './graph.ts';
import { settleLinks } from './links.ts';
import type { PlanItem } from './plan.ts';
import { itemOf } from './test-items.ts';

const settled = (...items: PlanItem[]) => ({ warnings: settleLinks(items), items });

test('links that hold stay', () => {
  const { items, warnings } = settled(
    itemOf('a'),
    itemOf('b', 'a'),
    itemOf('c', 'a', ['b']),
    itemOf('a2', null, ['a']),
  );
  expect(warnings).toEqual([]);
  expect(items.map(({ parentKey, dependencyKeys }) => [parentKey, dependencyKeys])).toEqual([
    [null, []],
    ['a', []],
    ['a', ['b']],
    [null, ['a']],
  ]);
});

test('a parent may depend on its own child: it waits for it anyway', () => {
  expect(settled(itemOf('a', null, ['b']), itemOf('b', 'a')).warnings).toEqual([]);
});

describe('what would wait for itself is dropped', () => {
  test('a child that depends on its parent', () => {
    const { items, warnings } = settled(itemOf('a'), itemOf('b', 'a', ['a']));
    expect(items[1]).toMatchObject({ parentKey: 'a', dependencyKeys: [] });
    expect(warnings).toEqual([
      { kind: 'circle', key: 'b', message: 'depends on a: which waits for it (a → b)' },
    ]);
  });
  test('a child that depends on what waits for its parent', () => {
    const { items } = settled(itemOf('a'), itemOf('b', 'a', ['c']), itemOf('c', null, ['a']));
    expect(items.flatMap((item) => item.dependencyKeys)).toHaveLength(1);
  });
  test('a ring of dependencies loses one link', () => {
    const { items, warnings } = settled(
      itemOf('a', null, ['b']),
      itemOf('b', null, ['c']),
      itemOf('c', null, ['a']),
    );
    expect(items.flatMap((item) => item.dependencyKeys)).toEqual(['b', 'c']);
    expect(warnings).toHaveLength(1);
  });
  test('an item that depends on itself', () => {
    expect(settled(itemOf('a', null, ['a'])).warnings).toMatchObject([{ kind: 'circle' }]);
  });
  test('parents in a ring, and an item that is its own parent', () => {
    const { items } = settled(itemOf('a', 'b'), itemOf('b', 'c'), itemOf('c', 'a'), itemOf('d', 'd'));
    expect(items.map((item) => item.parentKey)).toEqual(['b', 'c', null, null]);
  });
});

test('whatever the links, in the end nothing waits for itself, and what could stay stayed', () => {
  const key = fc.integer({ min: 0, max: 9 }).map(String);
  const links = fc.record({ parent: fc.option(key), dependencies: fc.array(key, { maxLength: 4 }) });
  fc.assert(
    fc.property(fc.array(links, { minLength: 1, maxLength: 10 }), (drawn) => {
      const items = drawn.map(({ parent, dependencies }, n) => itemOf(String(n), parent, dependencies));
      const wanted = items.map((item) => item.dependencyKeys.length);
      const warnings = settleLinks(items);
      const waits = new Map(items.map((item) => [item.key, [...item.dependencyKeys]]));
      for (const { key: child, parentKey } of items)
        if (parentKey !== null) waits.get(parentKey)!.push(child);
      expect(groupsOf(waits.keys(), waits).every((group) => group.length === 1)).toBe(true);
      expect(items.every((item) => !waits.get(item.key)!.includes(item.key))).toBe(true);
      if (warnings.length === 0)
        expect(items.map((item) => item.dependencyKeys.length)).toEqual(
          wanted.map((_, n) => new Set(drawn[n]!.dependencies).size),
        );
    }),
  );
});

test('a chain longer than the stack is deep', () => {
  const chain = Array.from({ length: 50_000 }, (_, n) =>
    itemOf(String(n), null, n === 0 ? [] : [String(n - 1)]),
  );
  expect(settleLinks(chain)).toEqual([]);
});
