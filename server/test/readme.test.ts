// The README's calls, copied as they stand, against a hub: what a newcomer types must work.
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken, call, startTestHub, type TestHub } from './setup/hub.ts';
import { temporaryFolder } from './setup/postgres.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]!);
const run = promisify(execFile);

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const here = (text: string) =>
  text.replaceAll('http://127.0.0.1:4800', hub.url).replace('$(cat .switchyard/admin-token)', adminToken);

test('[RM1] every call of the first round answers without an error, and the item is done', async () => {
  const session = blocks('sh').filter((block) => /^(HUB=|call |ITEM=)/.test(block));
  expect(session.length).toBeGreaterThan(3);
  const { stdout, stderr } = await run('bash', ['-e', '-o', 'pipefail', '-c', here(session.join('\n'))]);
  expect(stderr).toBe('');
  expect(stdout).not.toContain('"error"');
  const { items } = await call(hub, 'item.list', { project: 'shop', status: 'done' });
  expect(items.map((item) => item.title)).toEqual(['Write the schema']);
});

test('[RM2] the agent of the README finishes what is ready', async () => {
  await runUntilDone(blocks('js')[0]!, 'mjs', 3);
});

test('[RM3] the commands of the README do what they say', async () => {
  const lines = blocks('sh').flatMap((block) => block.split('\n'));
  // `run` goes on for ever; docs/run.md has its own test.
  const commands = lines.filter((line) => /^npx switchyard (doctor|add|status) /.test(line));
  expect(commands).toHaveLength(3);
  const { stdout } = await run('bash', ['-e', '-c', commands.join('\n')], { cwd: root, env: environment() });
  expect(stdout).toContain('Write the tests');
});

test('[RM4] the program of the README works on what is ready', async () => {
  await runUntilDone(blocks('ts')[0]!, 'ts', 4);
});

const environment = () => ({
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
  TOKEN: adminToken,
  SWITCHYARD_URL: hub.url,
  SWITCHYARD_TOKEN: adminToken,
});

/** Runs a program of the README, in a folder from where it finds its packages, until so many items are done. */
async function runUntilDone(program: string, ending: 'mjs' | 'ts', done: number): Promise<void> {
  const script = join(root, 'server', `readme-agent-${process.pid}.tmp.${ending}`);
  writeFileSync(script, here(program));
  const agent = execFile(process.execPath, [script], { env: environment(), cwd: temporaryFolder() });
  try {
    await expect
      .poll(async () => (await call(hub, 'project.progress', { project: 'shop' })).progress.done, {
        timeout: 15_000,
      })
      .toBe(done);
  } finally {
    agent.kill();
    rmSync(script);
  }
}
