import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Hold } from './hold.ts';

let ended: number;
let hold: Hold;
beforeEach(() => {
  vi.useFakeTimers();
  ended = 0;
  hold = new Hold(() => ended++);
});
afterEach(() => {
  vi.useRealTimers();
});

test('holds until the last reason has gone', () => {
  hold.take('pointer');
  hold.take('selection');
  hold.release('pointer');
  expect([hold.active, ended]).toEqual([true, 0]);
  hold.release('selection');
  hold.release('selection');
  expect([hold.active, ended]).toEqual([false, 1]);
});

test('a pointer left lying lets go, each movement begins its time anew; a selection never does', () => {
  hold.take('pointer');
  vi.advanceTimersByTime(7_000);
  hold.take('pointer');
  vi.advanceTimersByTime(7_000);
  expect(hold.active).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect([hold.active, ended]).toEqual([false, 1]);
  hold.take('focus');
  vi.advanceTimersByTime(14_000);
  expect(hold.active).toBe(true);
  vi.advanceTimersByTime(1_000);
  expect([hold.active, ended]).toEqual([false, 2]);
  hold.take('selection');
  vi.advanceTimersByTime(3_600_000);
  expect([hold.active, ended]).toEqual([true, 2]);
});

test('dropped, it says nothing, now or later', () => {
  hold.take('pointer');
  hold.drop();
  vi.advanceTimersByTime(60_000);
  expect([hold.active, ended]).toEqual([false, 0]);
});
