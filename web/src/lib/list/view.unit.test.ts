import { expect, test } from 'vitest';
import { listColumns, nextSort } from './columns.ts';
import { chipsOf, readListFilter, readSort } from './view.ts';

const parameters = (text: string) => new URLSearchParams(text);

test('statuses, ready and order are read from the address, and what makes no sense is passed over', () => {
  expect(readListFilter(parameters('status=done,nonsense,todo&ready=false&q=x'))).toEqual({
    q: 'x',
    status: ['todo', 'done'],
    ready: false,
  });
  expect(readListFilter(parameters('status=nonsense&ready=perhaps'))).toEqual({});
  expect(
    ['-priority', 'title', '', 'nonsense', 'constructor'].map((sort) => readSort(parameters(`sort=${sort}`))),
  ).toEqual(['-priority', 'title', '-number', '-number', '-number']);
});

test('statuses add up; ready and blocked are parts of todo, and stand alone', () => {
  const chip = (label: string, filter: Parameters<typeof chipsOf>[0]) =>
    chipsOf(filter).find((one) => one.label === label)!;
  const on = (filter: Parameters<typeof chipsOf>[0]) =>
    chipsOf(filter)
      .filter((one) => one.on)
      .map((one) => one.label);
  expect(on({})).toEqual(['All']);
  expect(on({ status: ['done', 'failed'] })).toEqual(['Failed', 'Done']);
  expect(on({ status: ['todo'], ready: true })).toEqual(['Ready']);
  expect(on({ status: ['todo'], ready: false })).toEqual(['Blocked']);
  expect(chip('Failed', { status: ['done'] }).parameters).toEqual({ status: 'failed,done', ready: null });
  expect(chip('Done', { status: ['done'] }).parameters).toEqual({ status: '', ready: null });
  expect(chip('Failed', { status: ['todo'], ready: true }).parameters).toEqual({
    status: 'failed',
    ready: null,
  });
  expect(chip('Ready', { status: ['done'] }).parameters).toEqual({ status: 'todo', ready: 'true' });
  expect(chip('Ready', { status: ['todo'], ready: true }).parameters).toEqual({ status: null, ready: null });
});

test('a press on a column sorts by it, a second one the other way round', () => {
  const press = (id: string, now: Parameters<typeof nextSort>[1]) =>
    nextSort(
      listColumns.find((column) => column.id === id)!,
      now,
    );
  expect([press('title', '-number'), press('title', 'title'), press('title', '-title')]).toEqual([
    'title',
    '-title',
    'title',
  ]);
  expect([press('updated', '-number'), press('updated', '-updated')]).toEqual(['-updated', 'updated']);
  expect(press('waits', 'title')).toBe('title');
});
