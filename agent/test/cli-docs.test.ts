// The examples of docs/cli.md, copied as they stand: what a newcomer types must work.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { temporaryFolder } from '../../server/test/setup/postgres.ts';
import { until } from '../../server/test/setup/until.ts';
import { bin, envOf, start } from './cli.ts';

const docs = readFileSync(fileURLToPath(new URL('../../docs/cli.md', import.meta.url)), 'utf8');
const lines = [...docs.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => block[1]!.trim().split('\n'));
/** These go on until somebody ends them. */
const endless = (line: string) => /^switchyard (watch|status --watch)/.test(line);
const run = promisify(execFile);

let hub: TestHub;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  hub = await startTestHub();
  folder = temporaryFolder();
  const tools = join(folder, 'bin');
  mkdirSync(tools);
  symlinkSync(bin, join(tools, 'switchyard'));
  symlinkSync(process.execPath, join(tools, 'node'));
  for (const [name, text] of [
    ['TODO.md', '- [ ] Later\n'],
    ['build.log', 'it broke\n'],
    ['.bashrc', ''],
  ] as const)
    writeFileSync(join(folder, name), text);
  env = envOf(hub, { PATH: `${tools}:${process.env.PATH}`, HOME: folder, SHELL: '/bin/bash', TERM: 'xterm' });
});
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});

test('every example of docs/cli.md works as it stands, one after another', async () => {
  const session = lines.filter((line) => !endless(line));
  expect(session.length).toBeGreaterThan(30);
  const { stdout, stderr } = await run('bash', ['-e', '-o', 'pipefail', '-c', session.join('\n')], {
    env,
    cwd: folder,
  });
  // What for an example of an error is printed is one.
  expect(stderr.match(/^error: .*/gm)).toEqual([expect.stringContaining('There is no #99')]);
  expect(stdout).toContain('exit code 1');
  const { items } = await call(hub, 'item.list', { project: 'shop' });
  expect(items.map(({ number, title, status }) => `${number} ${title}: ${status}`)).toEqual([
    '1 Write the schema: done',
    '2 Write the queries: todo',
    '3 Say how to run it: todo',
    '4 Take cards: claimed',
    '5 Handle refusals: cancelled',
    '6 Make the form: todo',
    '7 Test it: todo',
    '8 Later: todo',
  ]);
}, 120_000);

test('so does every example that goes on until Ctrl-C', async () => {
  const examples = lines.filter(endless);
  expect(examples).toHaveLength(5);
  for (const line of examples) {
    const inTerminal = ['script', '-qec', `stty cols 100 rows 30; ${line} --project shop`, '/dev/null'];
    const child = start(inTerminal, env, folder);
    await until(`${line} shows something`, () => /Take cards|Say how to run it/.test(child.stdout()));
    child.process.stdin!.write('\x03');
    expect((await child.ended).code).toBe(0);
  }
}, 30_000);

test('the exit codes that are documented are those there are', async () => {
  const { exitCodes } = await import('../cli/exit-codes.ts');
  const documented = [...docs.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
  expect(documented).toEqual(Object.values(exitCodes));
});
