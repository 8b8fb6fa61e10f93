import { expect, test } from 'vitest';
import type { Conflict } from '@switchyard/shared/item';
import { ConflictBook } from './conflict-book.ts';

const conflict = (work_item_id: string, ...conflicting_files: string[]) =>
  ({ work_item_id, conflicting_files }) as Conflict;
const ids = (conflicts: readonly Conflict[]) => conflicts.map((one) => one.work_item_id).join('');

test('an answer counts for all, but for what was heard while it was under way', async () => {
  const book = new ConflictBook([conflict('a'), conflict('b')]);
  const heard: string[] = [];
  book.listen((conflicts) => heard.push(ids(conflicts)));
  const answer = Promise.withResolvers<{ conflicts: Conflict[] }>();
  const asked = book.ask(() => answer.promise);
  book.hear('detected', [conflict('d')]);
  book.hear('resolved', [conflict('b')]);
  answer.resolve({ conflicts: [conflict('a'), conflict('b'), conflict('c')] });
  expect(ids(await asked)).toBe('acd');
  expect(heard).toEqual(['ab', 'abd', 'ad', 'acd']);
  book.hear('resolved', [conflict('a'), conflict('c'), conflict('d')]);
  expect(book.all).toEqual([]);
});

test('what changes nothing is not told', async () => {
  const book = new ConflictBook([conflict('a', 'x')]);
  let told = 0;
  book.listen(() => (told += 1));
  book.hear('detected', [conflict('a', 'x')]);
  book.hear('resolved', [conflict('b')]);
  await book.ask(async () => ({ conflicts: [conflict('a', 'x')] }));
  expect(told).toBe(1);
  book.hear('detected', [conflict('a', 'x', 'y')]);
  expect(told).toBe(2);
});
