import { expect, test } from 'vitest';
import { baseOf, shortPath } from './paths.ts';

test('a long path keeps its end, a short one all', () => {
  expect(shortPath('src/auth.ts')).toBe('src/auth.ts');
  expect(shortPath(`packages/${'deep/'.repeat(20)}cart/totals.test.ts`)).toBe(
    '…/deep/deep/deep/deep/cart/totals.test.ts',
  );
  expect(shortPath('x'.repeat(60))).toBe('x'.repeat(60));
  expect(shortPath(`a/${'x'.repeat(60)}`)).toBe(`…/${'x'.repeat(60)}`);
});

test('a file, a folder and a glob are called by what tells them apart', () => {
  expect(['src/auth.ts', 'sql/', 'src/mail/**', 'src/cart/*.ts', '**', 'a'].map(baseOf)).toEqual([
    'auth.ts',
    'sql/',
    'mail/**',
    'cart/*.ts',
    '**',
    'a',
  ]);
});
