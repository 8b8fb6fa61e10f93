import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Ignored } from './ignored.ts';

function newTree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'switchyard-ignored-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  execFileSync('git', ['init', '--quiet', root]);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('what git ignores is ignored, and nothing else', () => {
  const root = newTree({
    '.gitignore': '*.log\n/build/\n!keep.log\ndeep/**/x.txt\n# a comment\nspace\\ d\n',
    'packages/a/.gitignore': '!important.log\n*.tmp\n/only-here\n',
    'packages/a/src/.gitignore': '!b.tmp\n',
    '.git/info/exclude': 'private/\n',
  });
  const paths = [
    'a.log', 'keep.log', 'build/x', 'src/build/x', 'deep/1/2/x.txt', 'deep/y.txt', 'space d',
    'packages/a/important.log', 'packages/a/other.log', 'packages/b/important.log', 'packages/a/x.tmp',
    'packages/a/src/a.tmp', 'packages/a/src/b.tmp', 'packages/a/only-here', 'packages/a/src/only-here',
    'private/x', 'src/private/y', 'src/a.ts', '.env',
  ]; // prettier-ignore
  const ignored = new Ignored(root, join(root, '.git/info/exclude'));
  // check-ignore ends with 1 when it ignores none, which is not so here.
  const said = execFileSync('git', ['check-ignore', '--stdin', '-z'], { cwd: root, input: paths.join('\0') });
  const byGit = said
    .toString()
    .split('\0')
    .filter((path) => path !== '');
  expect(paths.filter((path) => ignored.covers(path))).toEqual(byGit);
});

test('repositories, packages and what hubs keep are nobody’s work', () => {
  const ignored = new Ignored(newTree({}));
  for (const path of ['.git/index', 'a/node_modules/b/c.js', 'node_modules/', '.switchyard/postgres/x'])
    expect(ignored.covers(path)).toBe(true);
  expect(ignored.covers('src/node_modules.ts')).toBe(false);
});

test('rules that change count when they are forgotten', () => {
  const root = newTree({ '.gitignore': '*.a\n' });
  const ignored = new Ignored(root);
  expect(ignored.covers('x.b')).toBe(false);
  writeFileSync(join(root, '.gitignore'), '*.b\n');
  ignored.forget();
  expect([ignored.covers('x.a'), ignored.covers('x.b')]).toEqual([false, true]);
});
