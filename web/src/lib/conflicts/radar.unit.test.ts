import type { ConflictPair } from '@switchyard/shared/item';
import { expect, test } from 'vitest';
import { byFile } from './radar.ts';

const party = (number: number) => ({
  work_item_id: `id-${number}`,
  number,
  title: `Item ${number}`,
  agent_id: `agent-${number}`,
  attempt: 1,
});
const pair = (numbers: [number, number], files: string[], since: string): ConflictPair => ({
  items: numbers.map(party),
  conflicting_files: files,
  kind: 'modified',
  since,
});

test('files are listed once, with all who share them; touched ones first, then the oldest', () => {
  const pairs = [
    pair([2, 1], ['a.ts', 'b.ts'], '2026-01-01T00:00:02.000Z'),
    pair([3, 2], ['a.ts'], '2026-01-01T00:00:01.000Z'),
    pair([5, 4], ['c.ts'], '2026-01-01T00:00:00.000Z'),
  ];
  const files = byFile(pairs, (id, file) => id === 'id-2' && file === 'b.ts');
  expect(files.map(({ file, kind }) => [file, kind])).toEqual([
    ['b.ts', 'modified'],
    ['c.ts', 'planned'],
    ['a.ts', 'planned'],
  ]);
  expect(files[2]!.items.map((item) => item.number)).toEqual([1, 2, 3]);
  expect(files[2]!.since).toBe('2026-01-01T00:00:01.000Z');
  expect(files[0]!.items.map((item) => item.kind)).toEqual(['planned', 'modified']);
});
