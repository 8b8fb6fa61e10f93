// The command line as a process: what a shell, a pipe and a terminal get of it.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Event } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { newDataDir } from '../../server/test/setup/child-hub.ts';
import { temporaryFolder } from '../../server/test/setup/postgres.ts';
import { until } from '../../server/test/setup/until.ts';
import { httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { bin, envOf, start, type Child } from './cli.ts';
import { proxyTo } from './proxy.ts';

let hub: TestHub;
let project: string;
beforeAll(async () => {
  hub = await startTestHub();
  project = (await newProject(hub)).name;
  await makeAll(hub, project, [{ title: '漢字 wide' }, { title: 'narrow' }, { title: 'x'.repeat(200) }]);
});
afterAll(() => hub.stop());

const run = (args: string[], env: Record<string, string> = {}) =>
  start([process.execPath, bin, ...args], envOf(hub, { SWITCHYARD_PROJECT: project, ...env }));

/** In a terminal of that many columns, as `script` makes one. */
const inTerminal = (line: string, env: Record<string, string> = {}) =>
  start(
    ['script', '-qec', `stty cols 60 rows 20; exec ${process.execPath} ${bin} ${line}`, '/dev/null'],
    envOf(hub, { SWITCHYARD_PROJECT: project, TERM: 'xterm-256color', ...env }),
  );
// eslint-disable-next-line no-control-regex
const colours = /\x1b\[\d/;

test('in a pipe the table is aligned, whole and without colours', async () => {
  const { code, stdout, stderr } = await run(['list']).ended;
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toBe(
    '#  STATE  P  TITLE\n' +
      '1  ready  5  漢字 wide\n' +
      '2  ready  5  narrow\n' +
      `3  ready  5  ${'x'.repeat(200)}\n`,
  );
});

test('a terminal gets colours and lines that fit, and with NO_COLOR no colours', async () => {
  const coloured = (await inTerminal('list').ended).stdout;
  expect(coloured).toMatch(colours);
  expect(coloured).toContain(`${'x'.repeat(46)}…`);
  const plain = (await inTerminal('list', { NO_COLOR: '1' }).ended).stdout;
  expect(plain).not.toMatch(colours);
  for (const line of plain.split('\r\n')) expect(line.length).toBeLessThanOrEqual(60);
  const json = (await inTerminal('list --json').ended).stdout;
  expect(json).not.toMatch(colours);
  expect(JSON.parse(json)).toMatchObject({ total: 3 });
});

test('an error is a sentence on stderr, and under --json one value on stdout too', async () => {
  expect(await run(['list', '--prject', 'x']).ended).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: There is no flag --prject, did you mean --project? See --help.\n',
  });
  const wrong = await run(['lits', '--json']).ended;
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stdout)).toEqual({
    error: { code: 'USAGE', message: expect.stringContaining('did you mean list') as string, details: {} },
  });
  const refused = await run(['show', '99', '--json']).ended;
  expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([1, { error: { code: 'NOT_FOUND' } }]);
});

test('a hub that is not there is 3, no way in is 4, and both say what to do', async () => {
  const free = createServer().listen(0);
  const { port } = free.address() as AddressInfo;
  await new Promise((closed) => free.close(closed));
  const away = { SWITCHYARD_URL: `http://127.0.0.1:${port}` };
  for (const args of [['list'], ['watch']]) {
    const { code, stderr } = await run(args, away).ended;
    expect([code, stderr]).toEqual([3, expect.stringContaining('Is it started?') as string]);
  }
  const wrong = await run(['list', '--json'], { SWITCHYARD_TOKEN: 'swy_wrong' }).ended;
  expect([wrong.code, JSON.parse(wrong.stdout)]).toMatchObject([4, { error: { code: 'UNAUTHENTICATED' } }]);
  const none = await run(['list', '--json'], { SWITCHYARD_TOKEN: '', SWITCHYARD_DATA_DIR: '/nowhere' }).ended;
  expect([none.code, JSON.parse(none.stdout)]).toMatchObject([4, { error: { code: 'NO_HUB' } }]);
});

test('a reader that has seen enough ends a command without a fault', () => {
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', `"$0" "$1" --help | head -n 1`, process.execPath, bin],
    {
      encoding: 'utf8',
    },
  );
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^switchyard \d/) as string, '']);
});

/** Ends a command as Ctrl-C does, and waits for it. */
function interrupt(child: Child) {
  child.process.kill('SIGINT');
  return child.ended;
}

const seqsOf = (child: Child) =>
  child
    .stdout()
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as Event).seq);

test('watch tells each line of the log once and in order, over lost connections; Ctrl-C ends it with 0', async () => {
  const watched = (await newProject(hub)).name;
  await makeAll(hub, watched, [{}, {}, {}]);
  const proxy = await proxyTo(hub.url);
  onTestFinished(() => proxy.close());
  const child = run(['watch', '--json', '--after', '1'], {
    SWITCHYARD_URL: proxy.url,
    SWITCHYARD_PROJECT: watched,
  });
  await until('it has caught up', () => child.stdout().includes('"seq":3'));
  proxy.down();
  await make(hub, watched);
  await until('it has noticed', () => child.stderr().includes('The hub is away'));
  await make(hub, watched);
  proxy.up();
  await make(hub, watched);
  await until('it has all', () => seqsOf(child).length >= 5);
  await until('it says so', () => child.stderr().includes('The hub is back'));
  expect((await interrupt(child)).code).toBe(0);
  expect(seqsOf(child)).toEqual([2, 3, 4, 5, 6]);
});

test('watch of a log much longer than a catch-up holds begins at its first line', async () => {
  const watched = (await newProject(hub)).name;
  await makeAll(
    hub,
    watched,
    Array.from({ length: 1_000 }, () => ({})),
  );
  await makeAll(
    hub,
    watched,
    Array.from({ length: 200 }, () => ({})),
  );
  const child = run(['watch', '--json', '--after', '0'], { SWITCHYARD_PROJECT: watched });
  await until('it has all', () => child.stdout().includes('"seq":1200,'));
  await make(hub, watched);
  await until('it has what came then', () => child.stdout().includes('"seq":1201,'));
  await interrupt(child);
  expect(seqsOf(child)).toEqual(Array.from({ length: 1_201 }, (_, n) => n + 1));
});

test('for people watch says who did what to which item', async () => {
  const watched = (await newProject(hub)).name;
  const item = await make(hub, watched, { title: 'the schema' });
  const agent = httpAgent(hub, 'anna');
  await agent.claim(item.id);
  await agent.complete(item.id, 1, { result_summary: 'Three\ntables' });
  const child = run(['watch', '--project', watched]);
  await until('it has told the end', () => child.stdout().includes('done'));
  await interrupt(child);
  const lines = child
    .stdout()
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+ +/, ''));
  expect(lines[0]).toMatch(/^created +#1 the schema {2}\(/);
  expect(lines.slice(1)).toEqual([
    'claimed    #1 the schema  (anna)',
    'done       #1 the schema  — Three tables  (anna)',
  ]);
});

test('watch ends with 4 when its token is revoked', async () => {
  const { token } = await call(hub, 'token.create', { role: 'viewer', project, label: 'watcher' });
  const child = run(['watch', '--tail', '1'], { SWITCHYARD_TOKEN: token.token });
  await until('it watches', () => child.stdout() !== '');
  await call(hub, 'token.revoke', { id: token.id });
  expect(await child.ended).toMatchObject({ code: 4, stderr: expect.stringContaining('error: ') as string });
});

test('status --watch repaints a terminal as things change, and is refused where there is none', async () => {
  expect(await run(['status', '--watch']).ended).toMatchObject({ code: 2, stdout: '' });
  const shown = (await newProject(hub)).name;
  const item = await make(hub, shown, { title: 'the schema' });
  const child = inTerminal('status --watch', { SWITCHYARD_PROJECT: shown });
  await until('it is painted', () => child.stdout().includes('1 ready'));
  await httpAgent(hub, 'anna').claim(item.id);
  await until('it is painted anew', () => /anna.*working.*#1 the schema/.test(child.stdout()));
  child.process.stdin!.write('\x03');
  expect((await child.ended).code).toBe(0);
  expect(child.stdout()).toContain('\x1b[?25h'); // the cursor is back
});

test('up starts a hub, on which the other commands work without any setting, and Ctrl-C stops both', async () => {
  const free = createServer().listen(0);
  const { port } = free.address() as AddressInfo;
  await new Promise((closed) => free.close(closed));
  const here = { SWITCHYARD_PORT: String(port), SWITCHYARD_DATA_DIR: newDataDir(), TERM: 'xterm' };
  const child = start(['script', '-qec', `exec ${process.execPath} ${bin} up`, '/dev/null'], here);
  await until('it listens', () => child.stdout().includes('listens on'), 60_000);
  const switchyard = (...args: string[]) => start([process.execPath, bin, ...args], here).ended;
  expect(await switchyard('projects', 'create', 'shop')).toMatchObject({ code: 0 });
  expect(await switchyard('up', '--json')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"started": false') as string,
  });
  child.process.stdin!.write('\x03');
  expect((await child.ended).code).toBe(0);
  expect(await switchyard('list')).toMatchObject({ code: 3 });
}, 90_000);

test('doctor says which coding agents are set up here, and which not as they would be now', async () => {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const env = envOf(hub, { SWITCHYARD_PROJECT: project, HOME: folder });
  const clientsIn = async () => {
    const { stdout } = await start([process.execPath, bin, 'doctor', '--json'], env, folder).ended;
    const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string }[] };
    return checks
      .filter(({ name }) => /claude|codex|cursor|gemini/.test(name))
      .map((one) => one.name + ' ' + one.state);
  };
  expect(await clientsIn()).toEqual([]);
  await start([process.execPath, bin, 'setup', 'claude'], env, folder).ended;
  expect(await clientsIn()).toEqual(['claude ok']);
  rmSync(join(folder, '.claude/settings.json'));
  expect(await clientsIn()).toEqual(['claude warn']);
});

test('an old Node is told which one is needed', () => {
  const old = 'Object.defineProperty(process.versions, "node", { value: "20.11.0" })';
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', `data:text/javascript,${old}`, bin, '--version'],
    { encoding: 'utf8', env: { ...process.env, SWITCHYARD_NODE: 'brought' } },
  );
  expect([status, stderr]).toEqual([
    2,
    expect.stringContaining('needs Node 22.18 or newer, and this is 20.11.0') as string,
  ]);
});
