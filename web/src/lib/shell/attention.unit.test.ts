import type { AgentInfo } from '@switchyard/shared/agent';
import type { ConflictPair, Item } from '@switchyard/shared/item';
import { expect, test } from 'vitest';
import { needs, tries } from './attention.ts';

const failed = (number: number, more: Partial<Item> = {}) =>
  ({
    id: `id-${number}`,
    number,
    status: 'failed',
    retry_at: null,
    priority: 5,
    failure_count: 1,
    max_attempts: 1,
    lost_count: 0,
    ...more,
  }) as Item;
const pair = (files: string[]) =>
  ({
    items: [1, 2].map((number) => ({ work_item_id: `id-${number}`, number })),
    conflicting_files: files,
  }) as ConflictPair;
const agent = (agent_id: string, state: AgentInfo['state']) => ({ agent_id, state }) as AgentInfo;

test('conflicts come first, then stale agents, then what failed for good, the most urgent first', () => {
  const found = needs(
    [pair(['a.ts']), pair(['b.ts', 'c.ts', 'd.ts'])],
    [agent('anna', 'stale'), agent('ben', 'working'), agent('cleo', 'away')],
    [
      failed(9),
      failed(4, { priority: 1 }),
      failed(3),
      failed(5, { retry_at: '2026-01-01T00:00:00.000Z' }),
      failed(6, { status: 'done' }),
    ],
  );
  expect(found.map(({ text }) => text)).toEqual([
    'conflict in a.ts (#1 ↔ #2)',
    'conflict in b.ts and 2 more (#1 ↔ #2)',
    'anna stale',
    '#4 failed 1 of 1',
    '#3 failed 1 of 1',
    '#9 failed 1 of 1',
  ]);
  expect(found.map(({ number, agent }) => number ?? agent)).toEqual([1, 1, 'anna', 4, 3, 9]);
});

test('failures are told of what is allowed; claims that were lost too often, as that', () => {
  expect(tries(failed(1, { failure_count: 2, max_attempts: 3 }))).toBe('2 of 3');
  expect(tries(failed(1, { failure_count: 4, max_attempts: 3 }))).toBe('4 of 4');
  expect(tries(failed(1, { failure_count: 0, lost_count: 5 }))).toBe('after 5 lost claims');
});

test('several runs of one agent that are stale need a person once', () => {
  const found = needs([], [agent('anna', 'stale'), agent('anna', 'stale'), agent('anna', 'working')], []);
  expect(found.map(({ text }) => text)).toEqual(['anna stale']);
});
