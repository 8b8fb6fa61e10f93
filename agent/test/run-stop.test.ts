// How commands are ended: by a cancel, by signals to the runner, and when the runner is killed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, getItem, newItem, newItems } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { isRunning, newFolder, nodeCommand, startRunner, writeFiles } from './setup/runner.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 0.5 } });
});
afterAll(() => hub.stop());

const quick = ['--kill-after', '500ms', '--no-watch'];

/** The id that a process has written down. */
const pidIn = (folder: string, file: string) =>
  until(`${file} holds a process id`, () => {
    const path = join(folder, file);
    return existsSync(path) && Number(readFileSync(path, 'utf8'));
  });

/** A folder with a script that starts a grandchild; both ignore TERM, and the grandchild may leave the group. */
function stubborn({ leaves = false } = {}) {
  const folder = newFolder();
  const ignore = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1_000);`;
  writeFiles(folder, {
    'grandchild.mjs': `
      import { writeFileSync } from 'node:fs';
      ${ignore}
      writeFileSync('grandchild', String(process.pid));
    `,
    'child.mjs': `
      import { spawn } from 'node:child_process';
      import { writeFileSync } from 'node:fs';
      ${ignore}
      spawn(process.execPath, ['grandchild.mjs'], { stdio: 'inherit', detached: ${leaves} });
      writeFileSync('child', String(process.pid));
      console.log('begun');
    `,
  });
  return { folder, command: [process.execPath, 'child.mjs'] };
}

async function started(flags: string[], { leaves = false, maxAttempts = 1 } = {}) {
  const project = await newProject(hub);
  const item = await newItem(hub, project, { max_attempts: maxAttempts });
  const { folder, command } = stubborn({ leaves });
  const runner = startRunner(hub, { project: project.name, cwd: folder }, flags, command);
  const pids = [await pidIn(folder, 'child'), await pidIn(folder, 'grandchild')];
  return { project, item, runner, pids };
}

test.each(['stdout', 'stderr'] as const)(
  'a reader that leaves (of %s) ends what is under way, which is given back',
  async (stream) => {
    const project = await newProject(hub);
    const item = await newItem(hub, project);
    const talks = nodeCommand(
      `setInterval(() => { console.log('still'); console.error('here'); }, 20); fs.writeFileSync('child', String(process.pid))`,
    );
    const folder = newFolder();
    const runner = startRunner(hub, { project: project.name, cwd: folder }, quick, talks);
    const pid = await pidIn(folder, 'child');
    await runner.says('still');
    runner.process[stream]!.destroy();
    expect(await runner.ended).toEqual({ code: 141, signal: null });
    expect(isRunning(pid)).toBe(false);
    expect(await getItem(hub, item.id)).toMatchObject({ status: 'todo', lost_count: 0 });
    expect(await eventsOf(hub, item, 'item.released')).toHaveLength(1);
  },
);

// Where there is no /proc, what left the group cannot be found.
const isLinux = process.platform === 'linux';

test.each(isLinux ? [false, true] : [false])(
  'a cancel ends the whole group, and is confirmed only when it is gone (a grandchild left it: %s)',
  async (leaves) => {
    const { item, runner, pids } = await started(quick, { leaves });
    await call(hub, 'item.cancel', { id: item.id });
    await until('the cancel is confirmed', async () => {
      const alive = pids.some(isRunning);
      const { stopping } = await getItem(hub, item.id);
      if (!stopping) expect(alive).toBe(false);
      return !stopping;
    });
    const [cancelled, confirmed] = await eventsOf(hub, item, 'item.cancelled', 'item.cancel_acknowledged');
    const tookMs = Date.parse(confirmed!.at) - Date.parse(cancelled!.at);
    expect(tookMs).toBeGreaterThanOrEqual(450); // between TERM, which both ignored, and KILL
    await runner.says('#1 cancelled; its command has ended');
  },
);

test('Ctrl-C lets what is under way finish, and takes nothing new', async () => {
  const project = await newProject(hub);
  const [first, second] = await newItems(hub, project, 2);
  const folder = newFolder();
  const waits = nodeCommand(`
    fs.writeFileSync('child', String(process.pid));
    const timer = setInterval(() => { if (fs.existsSync('go')) { clearInterval(timer); console.log('went'); } }, 10);
  `);
  const runner = startRunner(hub, { project: project.name, cwd: folder }, quick, waits);
  await pidIn(folder, 'child');
  runner.process.kill('SIGINT');
  await runner.says('Finishing 1 item, then ending. Ctrl-C again ends now.');
  writeFiles(folder, { go: '' });
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect(await getItem(hub, first!.id)).toMatchObject({ status: 'done', result_summary: 'went' });
  expect(await getItem(hub, second!.id)).toMatchObject({ status: 'todo', attempt: 0 });
  expect(runner.output()).toMatch(/Ended\. 1 done in \d\.\d s\.\n$/);
});

test('a second Ctrl-C ends it, and gives it back', async () => {
  const { item, runner, pids } = await started(quick);
  runner.process.kill('SIGINT');
  await runner.says('Finishing 1 item');
  runner.process.kill('SIGINT');
  expect(await runner.ended).toMatchObject({ code: 130 });
  expect(pids.some(isRunning)).toBe(false);
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'todo', failure_count: 0 });
  expect((await eventsOf(hub, item, 'item.released')).length).toBe(1);
});

test('TERM ends it at once, and gives it back', async () => {
  const { item, runner, pids } = await started(quick);
  runner.process.kill('SIGTERM');
  expect(await runner.ended).toMatchObject({ code: 143 });
  expect(pids.some(isRunning)).toBe(false);
  expect((await getItem(hub, item.id)).status).toBe('todo');
  expect(runner.output()).toContain('#1 given back');
});

test('a runner that is killed leaves nothing running, and its claim goes back after the grace', async () => {
  const { item, runner, pids } = await started(quick);
  runner.process.kill('SIGKILL');
  await until('the item is back', async () => (await getItem(hub, item.id)).status === 'todo');
  const [back] = await eventsOf(hub, item, 'item.requeued');
  expect(back!.data).toMatchObject({ reason: 'lease_expired' });
  await until('the guard has ended its children', () => !pids.some(isRunning));
});

test.runIf(isLinux)('a guard that is killed is replaced', async () => {
  const { runner, pids } = await started(quick);
  const guard = () =>
    readFileSync(`/proc/${runner.process.pid}/task/${runner.process.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number)
      .find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('switchyard-guard'));
  const first = guard();
  if (first === undefined) throw new Error('there is no guard');
  process.kill(first, 'SIGKILL');
  await until('there is another', () => guard() !== undefined && guard() !== first);
  runner.process.kill('SIGKILL');
  await until('it has ended the children', () => !pids.some(isRunning));
});

test('items that fail at once, one after the other, make the runner wait', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 8);
  const runner = startRunner(hub, { project: project.name, cwd: newFolder() }, quick, ['false']);
  await runner.says('Taking nothing for 30 s.');
  const { progress } = await call(hub, 'project.progress', { project: project.id });
  expect(progress).toMatchObject({ failed: 5, todo: 3 });
  runner.process.kill('SIGINT');
  expect(await runner.ended).toMatchObject({ code: 0 });
});
