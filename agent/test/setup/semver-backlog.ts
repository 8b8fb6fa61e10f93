// A backlog of real work on a real package: semver, as npm has installed it here.
import { cpSync, chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gitIn, newFolder, writeFiles } from './runner.ts';

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** What an item of this backlog is to be created with. */
export interface Chore {
  title: string;
  task_type: 'format' | 'lint' | 'test' | 'types';
  files_planned: string[];
  priority?: number;
}

const paths = (...names: string[]) => names.map((name) => `functions/${name}.js`);
const format = (...names: string[]): Chore => ({
  title: `Format ${names.join(' and ')}`,
  task_type: 'format',
  files_planned: paths(...names),
});
const lint = (...names: string[]): Chore => ({
  title: `Lint ${names.join(' and ')}`,
  task_type: 'lint',
  files_planned: paths(...names),
});
const test = (name: string): Chore => ({
  title: `Test ${name}`,
  task_type: 'test',
  files_planned: [`test/${name}.test.js`],
});
const types = (name: string): Chore => ({
  title: `Declare the types of ${name}`,
  task_type: 'types',
  files_planned: [`types/functions/${name}.d.ts`],
});

/** Two want `coerce`; `no-such` cannot be done. */
export const chores: readonly Chore[] = [
  { ...format('coerce'), priority: 0 },
  { ...lint('coerce'), priority: 0 },
  { ...test('inc'), priority: 0 },
  { ...lint('sort', 'rsort'), priority: 1 },
  ...[format('clean', 'cmp'), format('diff'), format('inc'), format('parse', 'valid'), format('truncate')],
  ...[format('prerelease'), format('satisfies'), format('compare-build')],
  ...[lint('eq', 'gt'), lint('gte'), lint('lt'), lint('lte'), lint('neq'), lint('compare'), lint('rcompare')],
  ...[test('clean'), test('valid'), test('diff'), test('no-such')],
  ...[types('compare'), types('eq'), types('satisfies')],
];

const cases = {
  clean: [[[' =v1.2.3 '], '1.2.3'], [['nonsense'], null]],
  valid: [[['1.2.3'], '1.2.3'], [['a.b.c'], null]],
  diff: [[['1.0.0', '2.0.0'], 'major'], [['1.0.0', '1.0.0'], null]],
  inc: [[['1.2.3', 'minor'], '1.3.0'], [['1.2.3', 'prerelease', 'beta'], '1.2.4-beta.0']],
}; // prettier-ignore

/** Writes a test and runs it, or has the compiler write the types; 65 when there is nothing known to test. */
const writer = `
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
const cases = ${JSON.stringify(cases)};
const [tsc, file] = process.argv.slice(2);
const run = (...args) => process.exit(spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1);
const name = basename(file).split('.')[0];
if (process.env.SWITCHYARD_ITEM_TASK_TYPE === 'types')
  run(tsc, '--allowJs', '--declaration', '--emitDeclarationOnly', '--noCheck', '--rootDir', '.', '--outDir', 'types', 'functions/' + name + '.js');
if (!cases[name]) {
  console.error('nobody knows what ' + name + ' is to do');
  process.exit(65);
}
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, [
  "const test = require('node:test');",
  "const assert = require('node:assert');",
  "const subject = require('../functions/" + name + ".js');",
  ...cases[name].map(([input, answer]) =>
    'test(' + JSON.stringify(input.join(' ')) + ', () => assert.strictEqual(subject(...' + JSON.stringify(input) + '), ' + JSON.stringify(answer) + '));'),
  '',
].join('\\n'));
run('--test', file);
`;

/** Does its work, and then waits while a file in $HOLDS is named for the item: so that a test can look, or strike. */
const held = `#!/bin/sh
"$@" || exit
while [ -e "$HOLDS/$SWITCHYARD_ITEM_NUMBER" ]; do sleep 0.05; done
`;

/** The command with which each kind of chore is done. */
export const tools = {
  format: ['tools/held', `${modules}/.bin/prettier`, '--write', '{files}'],
  lint: ['tools/held', `${modules}/.bin/eslint`, '--fix', '{files}'],
  write: ['tools/held', process.execPath, 'tools/write.mjs', `${modules}/typescript/bin/tsc`, '{files}'],
};

/** The package in a git repository of its own. */
export function newSemverRepository(): string {
  const root = newFolder();
  cpSync(`${modules}/semver`, root, { recursive: true });
  writeFiles(root, {
    'eslint.config.js': `module.exports = [{ rules: { 'arrow-body-style': ['error', 'always'], 'capitalized-comments': 'error' } }];\n`,
    'tools/held': held,
    'tools/write.mjs': writer,
  });
  chmodSync(`${root}/tools/held`, 0o755);
  gitIn(root, 'init', '--quiet', '--initial-branch=main');
  gitIn(root, 'config', 'user.name', 'Tester');
  gitIn(root, 'config', 'user.email', 'tester@example.com');
  gitIn(root, 'add', '--all');
  gitIn(root, 'commit', '--quiet', '-m', 'Import semver');
  return root;
}
