import { expect, test } from 'vitest';
import { formatTime } from './format.ts';

test('a time says as much of its date as is not that of now', () => {
  const now = new Date(2026, 2, 5, 12, 0);
  const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();
  expect(formatTime(at(2026, 2, 5, 9, 7), now)).toBe('09:07:00');
  expect(formatTime(at(2026, 1, 5, 9, 7), now)).toBe('5 Feb, 09:07');
  expect(formatTime(at(2025, 2, 5, 9, 7), now)).toBe('5 Mar 2025, 09:07');
});
