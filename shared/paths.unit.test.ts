import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isGlob, modifiedPaths, normalizePath, pathFault, plannedPaths } from './paths.ts';

describe('normalizePath', () => {
  test.each([
    ['a.ts', 'a.ts'],
    ['./a.ts', 'a.ts'],
    ['././a.ts', 'a.ts'],
    ['src/./a.ts', 'src/a.ts'],
    ['src/././a.ts', 'src/a.ts'],
    ['./src/', 'src/'],
    ['src/./', 'src/'],
    ['src/.', 'src/'],
    ['./.', '.'],
    ['a/..', 'a/..'],
    ['a/b.', 'a/b.'],
    ['.env', '.env'],
    ['a./b', 'a./b'],
    ['..', '..'],
    ['.../a', '.../a'],
    ['a/.b/./.c', 'a/.b/.c'],
  ])('%s is %s', (path, clean) => expect(normalizePath(path)).toBe(clean));

  const part = fc.constantFrom('.', '..', 'a', '.b', 'c.', '*', '');
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));

  test('[VA3] done twice is done once', () => {
    fc.assert(fc.property(path, (one) => normalizePath(normalizePath(one)) === normalizePath(one)));
  });

  test('[VA3] never changes which file a path names', () => {
    const sane = path.filter((one) => !one.startsWith('/') && !one.includes('//'));
    fc.assert(
      fc.property(sane, (one) => posix.resolve('/x/y', normalizePath(one)) === posix.resolve('/x/y', one)),
    );
  });

  test('[VA2] what is accepted stays below the root', () => {
    fc.assert(
      fc.property(fc.oneof(path, fc.string()), (one) => {
        const [clean] = plannedPaths.safeParse([one]).data ?? [];
        if (clean === undefined) return true;
        return posix.resolve('/x/y', clean).startsWith('/x/y/') && !clean.split('/').includes('.');
      }),
    );
  });
});

describe('pathFault', () => {
  test.each(['a', 'a/b/c.ts', 'a/', '.env', 'a b', 'ä', '[id]/(x)', 'a..b', '*', 'x'.repeat(1_024)])(
    '%s is fine',
    (path) => expect(pathFault(path)).toBeNull(),
  );
  test.each([
    ['', 'empty'],
    ['/a', 'absolute'],
    ['C:a', 'absolute'],
    ['a\\b', 'backslash'],
    ['a/../b', '..'],
    ['..', '..'],
    ['a//b', 'empty part'],
    ['a\u0000', 'control'],
    ['a\u007f', 'control'],
    ['a\ud800', 'surrogate'],
    ['x'.repeat(1_025), 'longer'],
  ])('%j is refused', (path, why) => expect(pathFault(path)).toContain(why));
});

describe('isGlob', () => {
  test.each(['*', 'a/**', '?', 'a.{ts,js}'])('%s is one', (path) => expect(isGlob(path)).toBe(true));
  test.each(['a', 'a/', '[id]', '(group)', '{a}', '{}', '!a', '+page.svelte', 'a,b'])('%s is none', (path) =>
    expect(isGlob(path)).toBe(false),
  );
});

test('[VA3] lists lose repeats and keep their order', () => {
  expect(plannedPaths.parse(['b', './b', 'a', 'a/*', 'b'])).toEqual(['b', 'a', 'a/*']);
  expect(modifiedPaths.parse(['a/', 'a', 'a/'])).toEqual(['a/', 'a']);
});

test('[VA2] what has been touched is named, not matched', () => {
  expect(modifiedPaths.safeParse(['a/*']).success).toBe(false);
  expect(plannedPaths.safeParse(['a/*']).success).toBe(true);
});
