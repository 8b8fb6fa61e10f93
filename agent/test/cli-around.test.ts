// What lies around the work: ways in, help, completion, and what an agent is told.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { adminToken, call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { promptOf } from './cli.ts';

let hub: TestHub;
let project: string;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  project = (await newProject(hub)).name;
});

const { run, ask, codeOf } = promptOf(() => ({ hub, project }));

describe('ways in', () => {
  test('a token has its role, and ends when it is revoked; stdout has nothing but the secret', async () => {
    const { stdout, stderr } = await run(
      `token create --role agent --project ${project} --agent ben --expires 1h`,
    );
    expect(stdout).toMatch(/^swy_\S+\n$/);
    const env = { SWITCHYARD_TOKEN: stdout.trim() };
    expect(await codeOf('list', { env })).toBe(0);
    expect(await ask('token list', { env })).toMatchObject({ error: { code: 'FORBIDDEN' } });
    expect(await codeOf('token list', { env })).toBe(4);
    const id = /revoke (\S+)/.exec(stderr)![1]!;
    expect((await run('token list')).stdout).toMatch(new RegExp(`${id} +good +agent +ben`));
    await run(`token revoke ${id}`);
    expect(await codeOf('list', { env })).toBe(4);
    expect(await codeOf('token create --role agent --expires yesterday')).toBe(2);
  });

  test('the project is the one named, or the only one there is', async () => {
    const env = { SWITCHYARD_PROJECT: '' };
    await newProject(hub);
    expect(await run('list', { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--project NAME') as string,
    });
    const { token } = await call(hub, 'token.create', { role: 'viewer', project, label: 'one' });
    expect(await codeOf('list', { env: { ...env, SWITCHYARD_TOKEN: token.token } })).toBe(0);
    expect(await codeOf('list --project nope')).toBe(1);
  });

  test('doctor says how each thing is and what to do, and ends with 1 where something is wrong', async () => {
    const states = async (env: Record<string, string> = {}) => {
      const { checks } = await ask<{ checks: { name: string; state: string }[] }>('doctor', { env });
      return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
    };
    const well = {
      node: 'ok',
      address: 'ok',
      hub: 'ok',
      clock: 'ok',
      token: 'ok',
      version: 'ok',
      project: 'ok',
      role: 'ok',
    };
    expect(await states()).toMatchObject(well);
    const { token } = await call(hub, 'token.create', { role: 'viewer', project, label: 'one' });
    expect(await states({ SWITCHYARD_TOKEN: token.token })).toMatchObject({ ...well, role: 'warn' });
    expect(await states({ SWITCHYARD_TOKEN: 'swy_wrong' })).toMatchObject({ hub: 'ok', token: 'fail' });
    expect(await states({ SWITCHYARD_URL: 'http://127.0.0.1:1' })).toMatchObject({
      address: 'ok',
      hub: 'fail',
    });
    expect(await codeOf('doctor', { env: { SWITCHYARD_TOKEN: 'swy_wrong' } })).toBe(1);
    expect((await run('doctor', { env: { SWITCHYARD_URL: 'http://127.0.0.1:1' } })).stdout).toContain(
      'switchyard up',
    );
    expect(await codeOf('doctor --project nope')).toBe(1);
  });

  test('what answers with a page is no hub, for doctor, for up and for every other command', async () => {
    const stranger = createServer((_, response) => response.end('<html>Welcome</html>')).listen(
      0,
      '127.0.0.1',
    );
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    const env = { SWITCHYARD_URL: `http://127.0.0.1:${port}` };
    expect((await run('doctor', { env })).stdout).toContain('What answers there is no hub');
    expect(await codeOf('up --json', { env })).toBe(2); // it would be started
    expect(await run('list', { env })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("none of a hub's") as string,
    });
  });

  test('a token that is bound to an agent goes before what else says who acts', async () => {
    await make(hub, project);
    const bound = { role: 'agent', project, agent_id: 'ben', label: 'bens' } as const;
    const { token } = await call(hub, 'token.create', bound);
    const env = { SWITCHYARD_TOKEN: token.token };
    expect(await codeOf('claim --next --agent carl', { env })).toBe(0);
    expect((await run('doctor', { env })).stdout).toContain('may claim and work, as ben');
    const primed = (await run('prime --agent carl', { env })).stdout;
    expect(primed).toContain('You are agent `ben`');
    expect(primed).toContain('## You hold\n\n- #1 ');
    expect(await run('complete --summary ok', { env })).toMatchObject({ code: 0, stderr: '' });
  });
});

test('[HK8] a hook that is called with what there is not ends with 0 all the same', async () => {
  for (const line of ['hook pre-edit --client claude --of-tomorrow', 'hook stop now --client claude'])
    expect(await run(line, { stdin: '{}' }), line).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringMatching(/^error: /) as string,
    });
});

test('setup of a client that there is not says which there are', async () => {
  expect(await run('setup vim')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'error: claude|codex|cursor|gemini "vim": no client that setup knows: say claude, codex, cursor, gemini. See --help.\n',
  });
});

test('prime is at most 8,000 characters of Markdown, however large the project', async () => {
  const long = 'A title as long as they come, with 漢字 and — what not '.repeat(9).slice(0, 490);
  const files = Array.from({ length: 200 }, (_, n) => `src/${'deep/'.repeat(20)}${n}.ts`);
  const drafts = Array.from({ length: 700 }, (_, n) => ({
    title: `${n} ${long}`,
    task_type: 'x'.repeat(50),
  }));
  const described = drafts.slice(0, 70).map((draft) => ({ ...draft, description: long.repeat(20) }));
  const items = await makeAll(hub, project, described);
  await makeAll(hub, project, drafts.slice(70));
  for (const [n, { id }] of items.slice(0, 24).entries())
    await httpAgent(hub, n < 12 ? 'anna' : 'ben').claim(id, { files });
  const { code, stdout } = await run('prime');
  expect(code).toBe(0);
  expect(stdout.length).toBeLessThanOrEqual(8_000);
  for (const part of [
    `# Switchyard: project ${project}`,
    'You are agent `anna`',
    'switchyard complete',
    '## You hold\n\n- #1 0 A title',
    '**Yours:** #1 ',
    '## Ready, first things first\n\n- #25 ',
    'and 666 more: `switchyard ready`',
  ])
    expect(stdout).toContain(part);
  const { markdown } = await ask<{ markdown: string }>('prime');
  expect(markdown.length).toBeLessThanOrEqual(8_000);
});

test('completion proposes commands, flags and values', async () => {
  const propose = async (line: string) => {
    const words = line.split(' ').filter(Boolean);
    const env = { COMP_LINE: line };
    return (await run(['completion propose --', ...words].join(' '), { env })).stdout
      .split('\n')
      .filter(Boolean);
  };
  expect(await propose('switchyard cl')).toEqual(['claim']);
  expect(await propose('switchyard files ')).toEqual(['report', 'check']);
  expect(await propose('switchyard list --so')).toEqual(['--sort']);
  expect(await propose('switchyard cancel 1 --dependents ')).toEqual(['block', 'release', 'cancel']);
});

test('every command has help with an example, and an example of each is a command line that is understood', async () => {
  const names = (await run('completion propose -- switchyard')).stdout.trim().split('\n');
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    const { code, stdout } = await run(`${name} --help`);
    expect(code).toBe(0);
    if (!/^COMMANDS$/m.test(stdout)) expect(stdout, name).toMatch(/^ {2}switchyard .*\n {4}\S/m);
  }
  expect((await run('--help')).stdout).toMatch(/ claim +Take an item/);
});

test('the operator’s token is not shown in anything that is printed', async () => {
  await make(hub, project);
  for (const line of ['doctor', 'status', 'list', 'token list', 'prime'])
    expect(Object.values(await run(line)).join(''), line).not.toContain(adminToken);
});
