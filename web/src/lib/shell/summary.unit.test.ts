import type { Progress } from '@switchyard/shared/agent';
import { expect, test } from 'vitest';
import { summary } from './summary.ts';

const progress = { total: 1_210, cancelled: 9, done: 3, claimed: 2, failed: 1 } as Progress;

test('what is read out counts one as one and several as several', () => {
  expect(summary(1, progress, 1)).toBe('1 change. 3 of 1,201 done, 2 in work, 1 failed. 1 needs you.');
  expect(summary(12, progress, 2)).toBe('12 changes. 3 of 1,201 done, 2 in work, 1 failed. 2 need you.');
  expect(summary(2, progress, 0)).toMatch(/All clear\.$/);
});
