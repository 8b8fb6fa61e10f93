// What happens over days: the hub goes and comes back, disks are full, items come when nobody looks.
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startChildHub } from '../../server/test/setup/child-hub.ts';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { getItem, newItem, newItems } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { newFolder, nodeCommand, startRunner, writeFiles } from './setup/runner.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

test('a hub that goes away and comes back is told what was done meanwhile', async () => {
  const first = await startChildHub();
  const project = await newProject(first);
  const [item, next] = await newItems(first, project, 2);
  const cwd = newFolder();
  const work = nodeCommand(`
    fs.appendFileSync('begun', process.env.SWITCHYARD_ITEM_NUMBER);
    const wait = () => (fs.existsSync('go') ? console.log('done while away') : setTimeout(wait, 10));
    wait();
  `);
  const runner = startRunner(first, { project: project.name, cwd }, ['--max-items', '2'], work);
  await until('it works', async () => (await getItem(first, item!.id)).status === 'claimed');
  await first.end('SIGKILL');
  await runner.says('The hub is away. What is under way goes on; trying to reach it.');
  writeFiles(cwd, { go: '' });
  const second = await startChildHub({ dataDir: first.dataDir, port: first.port });
  await runner.says(/The hub is back after \d/);
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect(await getItem(second, item!.id)).toMatchObject({
    status: 'done',
    attempt: 1,
    result_summary: 'done while away',
  });
  expect((await getItem(second, next!.id)).status).toBe('done');
  expect(readFileSync(join(cwd, 'begun'), 'utf8')).toBe('12');
  expect(runner.output().match(/The hub is away/g)).toHaveLength(1);
}, 30_000);

test('items that come later are taken as they come, of the types it takes', async () => {
  const project = await newProject(hub);
  const flags = ['--task-type', 'lint', '--task-type', 'format', '--no-watch'];
  const runner = startRunner(hub, { project: project.name, cwd: newFolder() }, flags, ['true']);
  await runner.says(`anna takes lint, format items of ${project.name} at ${hub.url}. Ctrl-C stops it.`);
  const other = await newItem(hub, project, { task_type: 'docs' });
  const own = await newItem(hub, project, { task_type: 'format' });
  await until('it is done', async () => (await getItem(hub, own.id)).status === 'done');
  expect((await getItem(hub, other.id)).status).toBe('todo');
});

test('what is to be tried again is not idle', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project, { max_attempts: 2 });
  const fails = nodeCommand(`process.exit(process.env.SWITCHYARD_ITEM_ATTEMPT === '1' ? 1 : 0)`);
  const flags = ['--exit-when-idle', '--no-watch', '--json'];
  const runner = startRunner(hub, { project: project.name, cwd: newFolder() }, flags, fails);
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'done', attempt: 2 });
  expect(runner.output()).toContain('"completed": 1');
});

test('logs hold what each attempt wrote; one that cannot be written is said, and the work goes on', async () => {
  const project = await newProject(hub);
  const [first, second] = await newItems(hub, project, 2);
  const cwd = newFolder();
  mkdirSync(join(cwd, 'logs'));
  symlinkSync('/dev/full', join(cwd, 'logs/2.1.log'));
  const flags = ['--max-items', '2', '--logs', 'logs', '--no-watch'];
  const says = nodeCommand(`console.log('out'); console.error('err')`);
  const runner = startRunner(hub, { project: project.name, cwd }, flags, says);
  expect(await runner.ended).toMatchObject({ code: 0 });
  for (const { id } of [first!, second!]) expect((await getItem(hub, id)).status).toBe('done');
  const log = readFileSync(join(cwd, 'logs/1.1.log'), 'utf8').split('\n').toSorted();
  expect(log.map((line) => line.slice(25)).filter((line) => line !== '')).toEqual(
    expect.arrayContaining(['  out', '! err', expect.stringMatching(/^exit 0 after \d\.\d s$/)]),
  );
  expect(runner.output()).toMatch(/2\.1\.log cannot be written: ENOSPC/);
});

test('places that cannot be written are said before anything is claimed', async () => {
  const project = await newProject(hub);
  const cwd = newFolder();
  writeFiles(cwd, { logs: 'a file' });
  const runner = startRunner(hub, { project: project.name, cwd }, ['--logs', 'logs'], ['true']);
  expect(await runner.ended).toMatchObject({ code: 2 });
  expect(runner.output()).toMatch(/^error: Logs cannot be kept in .*logs: EEXIST/);
});

test('a hub that lets the runner in no more ends it', async () => {
  const project = await newProject(hub);
  const { token } = await call(hub, 'token.create', { role: 'agent', label: 'runner', project: project.id });
  const runner = startRunner(
    hub,
    { project: project.name, cwd: newFolder(), env: { SWITCHYARD_TOKEN: token.token } },
    ['--no-watch'],
    ['true'],
  );
  await runner.says('Ctrl-C stops it.');
  await call(hub, 'token.revoke', { id: token.id });
  expect(await runner.ended).toMatchObject({ code: 4 });
});
