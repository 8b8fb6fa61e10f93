// Real work, unattended: three runners with different tools work off a backlog on a real package; one is killed, and an
// item is cancelled while it runs.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check } from 'prettier';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Event, Item } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { getItem, itemsOf, logOf, violationsOf } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { gitIn, newFolder, startRunner, writeFiles } from './setup/runner.ts';
import { chores, newSemverRepository, tools } from './setup/semver-backlog.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 1 } });
});
afterAll(() => hub.stop());

test('three runners with real tools work off a real backlog, through a kill and a cancel', async () => {
  const project = await newProject(hub);
  const root = newSemverRepository();
  const made = await call(hub, 'item.create', { project: project.id, items: [...chores] });
  const items = 'items' in made ? made.items : [];
  const titled = (title: string) => items.find((item) => item.title === title)!;
  const [formatted, linted] = [titled('Format coerce'), titled('Lint coerce')];
  const [killed, cancelled] = [titled('Lint sort and rsort'), titled('Test inc')];

  const holds = newFolder();
  for (const { number } of [formatted, linted, killed, cancelled]) writeFiles(holds, { [number]: '' });
  const letGo = (...held: Item[]) => held.forEach(({ number }) => rmSync(join(holds, String(number))));
  const start = (agent: string, types: string[], command: string[]) => {
    const flags = [
      '--worktree',
      '--exit-when-idle',
      '--kill-after',
      '2s',
      ...types.flatMap((type) => ['--task-type', type]),
    ];
    return startRunner(
      hub,
      { project: project.name, cwd: root, agent, env: { HOLDS: holds } },
      flags,
      command,
    );
  };
  const anna = start('anna', ['format'], tools.format);
  const ben = start('ben', ['lint'], tools.lint);
  const cora = start('cora', ['test', 'types'], tools.write);

  // Two touch one file, and hear of each other while they work.
  await until(
    'a conflict is seen live',
    async () => (await logOf(hub, project)).some(isLiveConflict),
    20_000,
  );
  await anna.says('⚠ functions/coerce.js is also being changed by #2 (ben)');
  await ben.says('⚠ functions/coerce.js is also being changed by #1 (anna)');
  for (const { id } of [formatted, linted]) expect((await getItem(hub, id)).status).toBe('claimed');
  letGo(formatted, linted);

  // One is cancelled while it runs.
  await until('the test is written', () =>
    existsSync(join(root, '.switchyard/worktrees/3-test-inc/test/inc.test.js')),
  );
  await call(hub, 'item.cancel', { id: cancelled.id, reason: 'not needed' });
  await until('it has stopped', async () => !(await getItem(hub, cancelled.id)).stopping);

  // One runner is killed with its item half done; another takes its place.
  await until('it has changed a file', async () => (await getItem(hub, killed.id)).files_modified.length > 0);
  ben.process.kill('SIGKILL');
  await ben.ended;
  letGo(killed, cancelled);
  const dora = start('dora', ['lint'], tools.lint);
  for (const runner of [anna, cora, dora]) expect((await runner.ended).code, runner.output()).toBe(0);

  const after = await itemsOf(hub, project);
  const log = await logOf(hub, project);
  console.log(summaryOf(after, log, root));
  expect(await violationsOf(hub, project)).toEqual([]);
  const undone = after.filter(({ status }) => status !== 'done');
  expect(undone.map(({ title, status }) => `${title}: ${status}`)).toEqual([
    'Test inc: cancelled',
    'Test no-such: failed',
  ]);
  expect(undone[1]!.failure_reason).toMatch(
    /^exit 65 \(do not retry\)\n\nnobody knows what no-such is to do/,
  );
  expect(after.find(({ id }) => id === killed.id)).toMatchObject({ attempt: 2, assigned_agent_id: 'dora' });
  for (const item of after.filter(({ status }) => status === 'done')) await checkWork(root, item);
  expect(gitIn(root, 'status', '--porcelain', '--untracked-files=all')).toBe('');
}, 60_000);

/** Two claimed items, one of which has touched what both want. */
function isLiveConflict({ type, data }: Event): boolean {
  const said = JSON.stringify(data);
  return type === 'conflict.detected' && said.includes('functions/coerce.js') && said.includes('"modified"');
}

const branchOf = ({ number, title }: Item) =>
  `switchyard/${number}-${title.toLowerCase().replaceAll(' ', '-')}`.slice(0, 60);

/** The branch of an item holds what its tool is for, and nothing else. */
async function checkWork(root: string, item: Item): Promise<void> {
  const branch = /^Branch (\S+) \(1 commit, \w+\)$/m.exec(item.result_summary!)?.[1];
  expect(branch).toBe(branchOf(item));
  const files = gitIn(root, 'diff', '--name-only', `main...${branch}`).split('\n');
  expect(files).toEqual(item.files_modified.toSorted());
  if (item.task_type !== 'types') expect(files).toEqual(item.files_planned.toSorted());
  else expect(files).toContain(item.files_planned[0]);
  for (const file of item.task_type === 'format' ? files : [])
    expect(await check(gitIn(root, 'show', `${branch}:${file}`) + '\n', { parser: 'babel' })).toBe(true);
}

function summaryOf(items: readonly Item[], log: readonly Event[], root: string): string {
  const count = (type: Event['type'], fits = (_: Event) => true) =>
    log.filter((event) => event.type === type && fits(event)).length;
  const statuses = Object.entries(Object.groupBy(items, ({ status }) => status));
  const branches = gitIn(root, 'branch', '--list', 'switchyard/*', '--format=%(refname:short)').split('\n');
  const commits = gitIn(root, 'rev-list', '--count', '--branches=switchyard/*', '^main');
  const isModified = ({ data }: Event) => JSON.stringify(data).includes('"modified"');
  const first = Date.parse(log.find(({ type }) => type === 'item.claimed')!.at);
  return [
    `items       ${items.length}: ${statuses.map(([status, those]) => `${those.length} ${status}`).join(', ')}`,
    ...items
      .filter(({ status }) => status === 'failed')
      .map(
        (item) =>
          `            #${item.number} ${item.title}: ${item.failure_reason!.split('\n\n').slice(0, 2).join(': ')}`,
      ),
    `conflicts   ${count('conflict.detected')} told (${count('conflict.detected', isModified)} of files already touched), ${count('conflict.resolved')} ended`,
    `files       ${count('item.files_reported')} reports while commands ran`,
    `claims      ${count('item.claimed')}; ${count('item.requeued')} lost with a killed runner and taken again, ${count('item.cancel_acknowledged')} stopped after a cancel`,
    `branches    ${branches.length}, with ${commits} commits`,
    `time        ${((Date.parse(log.at(-1)!.at) - first) / 1_000).toFixed(1)} s from the first claim`,
  ].join('\n');
}
