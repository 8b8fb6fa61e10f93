import type { Item } from '@switchyard/shared/item';
import { expect, test } from 'vitest';
import { criticalPath, holds, linksAmong, neighboursOf, stepsFrom } from './structure.ts';

const item = (id: string, dependencies: string[] = [], more: Partial<Item> = {}) =>
  ({
    id,
    status: 'todo',
    dependencies,
    blocked_by: dependencies,
    parent_item_id: null,
    estimated_hours: null,
    ...more,
  }) as Item;
const pathOf = (...items: Item[]) =>
  criticalPath(new Map(items.map((one) => [one.id, one])), linksAmong(items)).join('');

test('links go from what comes first to what waits; one that is child and dependency is linked once', () => {
  const items = [
    item('epic', ['a', 'elsewhere']),
    item('a', [], { parent_item_id: 'epic' }),
    item('b', ['a'], { parent_item_id: 'epic' }),
  ];
  expect(linksAmong(items).map(({ from, to, kind }) => `${from} ${to} ${kind}`)).toEqual([
    'a epic dependency',
    'a b dependency',
    'b epic child',
  ]);
});

test('a link holds until what comes first is done, or what waits is over', () => {
  const states = (from: Partial<Item>, to: Partial<Item> = {}) =>
    holds(item('a', [], from), item('b', ['a'], to));
  expect(states({})).toBe(true);
  expect(states({ status: 'cancelled' })).toBe(true);
  expect(states({ status: 'done' })).toBe(false);
  expect(states({}, { status: 'cancelled' })).toBe(false);
  expect(states({}, { blocked_by: [] })).toBe(false);
});

test('steps are counted by the shortest way, each item once, also in a circle', () => {
  const links = linksAmong([item('a', ['d']), item('b', ['a']), item('c', ['a', 'b']), item('d', ['c'])]);
  const { before, after } = neighboursOf(links);
  const steps = (next: typeof before) => stepsFrom('a', next).map(({ id, distance }) => `${id}${distance}`);
  expect(steps(after)).toEqual(['b1', 'c1', 'd2']);
  expect(steps(before)).toEqual(['d1', 'c2', 'b3']);
});

test('the critical path is the longest chain of open work, by hours, 1 where none are given', () => {
  const short = [item('a'), item('b', ['a']), item('c', ['b'])];
  expect(pathOf(...short)).toBe('abc');
  expect(pathOf(...short, item('x', [], { estimated_hours: 5 }), item('y', ['x']))).toBe('xy');
  expect(pathOf(...short, item('z', ['a']))).toBe('abc');
  // What is done, cancelled or does not hold any more is no part of it; one alone is no chain.
  expect(pathOf(item('a', [], { status: 'done' }), item('b', ['a']), item('c', ['b']))).toBe('bc');
  expect(pathOf(item('a', [], { status: 'cancelled' }), item('b', ['a']))).toBe('');
  expect(pathOf(item('a'))).toBe('');
});
