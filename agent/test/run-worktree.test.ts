// Each item in a git worktree and on a branch of its own.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { getItem, newItem, newItems } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { gitIn, newFolder, newRepository, nodeCommand, startRunner, writeFiles } from './setup/runner.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 0.5 } });
});
afterAll(() => hub.stop());

const branches = (root: string) => gitIn(root, 'branch', '--format=%(refname:short)').split('\n').sort();
const worktrees = (root: string) => {
  const folder = join(root, '.switchyard/worktrees');
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== '.gitignore') : [];
};
const append = nodeCommand(`fs.appendFileSync('a.txt', process.env.SWITCHYARD_ITEM_NUMBER + '\\n')`);

async function runOnce(
  root: string,
  command: string[],
  more: { title?: string; flags?: string[]; env?: NodeJS.ProcessEnv } = {},
) {
  const project = await newProject(hub);
  const item = await newItem(hub, project, {
    title: more.title ?? 'Say “hello” to all & sundry',
    max_attempts: 1,
  });
  const flags = ['--worktree', '--max-items', '1', ...(more.flags ?? [])];
  const runner = startRunner(hub, { project: project.name, cwd: root, env: more.env }, flags, command);
  const { code } = await runner.ended;
  return { project, code, output: runner.output(), item: await getItem(hub, item.id) };
}

test('what a command changes is committed on a branch that is named for the item', async () => {
  const root = newRepository();
  const { project, item, output } = await runOnce(root, append);
  expect(branches(root)).toEqual(['main', 'switchyard/1-say-hello-to-all-sundry']);
  const tip = gitIn(root, 'rev-parse', '--short', 'switchyard/1-say-hello-to-all-sundry');
  const note = `Branch switchyard/1-say-hello-to-all-sundry (1 commit, ${tip})`;
  expect(item.result_summary).toContain(`\n\n${note}`);
  expect(item.files_modified).toEqual(['a.txt']);
  expect(output).toContain(` · ${note}\n`);
  expect(gitIn(root, 'show', `${tip}:a.txt`)).toBe('a\n1');
  expect(gitIn(root, 'log', '-1', '--format=%B', tip)).toBe(
    `Say “hello” to all & sundry\n\nItem #1 of ${project.name} (${item.id}), attempt 1, by anna.\n`,
  );
  // The tree that people work in is as it was, and the worktree is gone.
  expect(gitIn(root, 'status', '--porcelain', '--untracked-files=all')).toBe('');
  expect(gitIn(root, 'rev-parse', '--abbrev-ref', 'HEAD')).toBe('main');
  expect(worktrees(root)).toEqual([]);
});

test('commits of the command stay its own; what it changes not at all leaves no branch', async () => {
  const root = newRepository();
  const commits = [
    'sh',
    '-c',
    'echo b >> a.txt && git commit -qam mine && echo c >> a.txt && git commit -qam more',
  ];
  const own = await runOnce(root, commits, { title: 'Own commits' });
  expect(own.item.result_summary).toMatch(/Branch switchyard\/1-own-commits \(2 commits, \w+\)$/);
  expect(gitIn(root, 'log', '--format=%s', 'switchyard/1-own-commits')).toBe('more\nmine\nBegin');
  const none = await runOnce(root, ['true'], { title: 'Nothing to do' });
  expect(none.item.result_summary).toContain('Nothing was changed, so there is no branch');
  expect(branches(root)).toEqual(['main', 'switchyard/1-own-commits']);
  expect(worktrees(root)).toEqual([]);
});

test('hooks, signatures and a missing identity do not stop the runner from keeping the work', async () => {
  const root = newRepository();
  for (const name of ['user.name', 'user.email']) gitIn(root, 'config', '--unset', name);
  gitIn(root, 'config', 'user.useConfigOnly', 'true');
  gitIn(root, 'config', 'commit.gpgSign', 'true');
  mkdirSync(join(root, '.git/hooks'), { recursive: true });
  writeFileSync(join(root, '.git/hooks/pre-commit'), '#!/bin/sh\nexit 1\n');
  chmodSync(join(root, '.git/hooks/pre-commit'), 0o755);
  const { item } = await runOnce(root, append, {
    title: 'Hooks',
    env: { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  });
  expect(item.status).toBe('done');
  expect(gitIn(root, 'log', '-1', '--format=%an', 'switchyard/1-hooks')).toBe('anna');
});

test('a failure keeps worktree and branch, and names both; the next attempt goes on there', async () => {
  const root = newRepository();
  const work = nodeCommand(`
    const before = fs.existsSync('draft.txt') ? fs.readFileSync('draft.txt', 'utf8') : 'none';
    console.log('draft: ' + before);
    fs.writeFileSync('draft.txt', 'by attempt ' + process.env.SWITCHYARD_ITEM_ATTEMPT);
    process.exit(process.env.SWITCHYARD_ITEM_ATTEMPT === '1' ? 1 : 0);
  `);
  const { project, item } = await runOnce(root, work, { title: 'Write a draft' });
  const path = '.switchyard/worktrees/1-write-a-draft';
  expect(item).toMatchObject({ status: 'failed' });
  expect(item.failure_reason).toBe(
    `exit 1\n\ndraft: none\n\nThe work so far is in ${path}, branch switchyard/1-write-a-draft.`,
  );
  expect(readFileSync(join(root, path, 'draft.txt'), 'utf8')).toBe('by attempt 1');
  expect(gitIn(root, 'status', '--porcelain', '--untracked-files=all')).toBe('');

  await call(hub, 'item.update', { id: item.id, title: 'Write another draft' });
  await call(hub, 'item.retry', { id: item.id });
  // A git that was killed left its lock behind.
  writeFileSync(join(root, '.git/worktrees/1-write-a-draft/index.lock'), '');
  const again = startRunner(
    hub,
    { project: project.name, cwd: root },
    ['--worktree', '--max-items', '1'],
    work,
  );
  expect(await again.ended).toMatchObject({ code: 0 });
  expect(again.output()).toContain(`Earlier runs left work in ${path}.`);
  expect((await getItem(hub, item.id)).result_summary).toMatch(
    /^draft: by attempt 1\n\nBranch switchyard\/1-write-a-draft \(1 commit/,
  );
  expect(gitIn(root, 'show', 'switchyard/1-write-a-draft:draft.txt')).toBe('by attempt 2');
  expect(worktrees(root)).toEqual([]);
});

test('merge conflicts that a command leaves are no success', async () => {
  const root = newRepository();
  gitIn(root, 'checkout', '-q', '-b', 'other');
  writeFiles(root, { 'a.txt': 'other\n' });
  gitIn(root, 'commit', '-qam', 'Other');
  gitIn(root, 'checkout', '-q', 'main');
  const merge = ['sh', '-c', 'echo mine > a.txt; git commit -qam Mine; git merge -q other; exit 0'];
  const { item } = await runOnce(root, merge, { title: 'Merge' });
  expect(item.status).toBe('failed');
  expect(item.failure_reason).toMatch(/^It left merge conflicts, the first in a\.txt\.\n/);
  expect(worktrees(root)).toEqual(['1-merge']);
});

test('--no-commit keeps the worktree of what is not committed, --base says where branches start', async () => {
  const root = newRepository();
  const start = gitIn(root, 'rev-parse', 'HEAD');
  writeFiles(root, { 'later.txt': '' });
  gitIn(root, 'add', '.');
  gitIn(root, 'commit', '-qm', 'Later');
  const flags = ['--no-commit', '--base', start];
  const { item } = await runOnce(root, append, { title: 'Left alone', flags });
  expect(item.result_summary).toContain(
    'Branch switchyard/1-left-alone, worktree .switchyard/worktrees/1-left-alone (kept: it has uncommitted changes)',
  );
  expect(item.files_modified).toEqual(['a.txt']);
  expect(existsSync(join(root, '.switchyard/worktrees/1-left-alone/later.txt'))).toBe(false);
});

test('a name that is taken by another item gets a number', async () => {
  const root = newRepository();
  await runOnce(root, append, { title: 'Same' });
  const { item } = await runOnce(root, append, { title: 'Same' }); // of another project: #1 as well
  expect(item.result_summary).toContain('Branch switchyard/1-same-2 (1 commit');
  expect(branches(root)).toEqual(['main', 'switchyard/1-same', 'switchyard/1-same-2']);
});

test('the item is taken up again where a killed runner left it, and half a checkout is made anew', async () => {
  const root = newRepository({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const project = await newProject(hub);
  const item = await newItem(hub, project, { title: 'Killed' });
  const go = newFolder();
  const work = nodeCommand(`
    fs.appendFileSync('a.txt', 'attempt ' + process.env.SWITCHYARD_ITEM_ATTEMPT + '\\n');
    const wait = () => fs.existsSync(${JSON.stringify(join(go, 'go'))}) || setTimeout(wait, 10);
    wait();
  `);
  const flags = ['--worktree', '--max-items', '1', '--kill-after', '500ms'];
  const first = startRunner(hub, { project: project.name, cwd: root }, flags, work);
  const file = join(root, '.switchyard/worktrees/1-killed/a.txt');
  await until('it works', () => existsSync(file) && readFileSync(file, 'utf8').includes('attempt 1'));
  first.process.kill('SIGKILL');
  await first.ended;
  const second = startRunner(hub, { project: project.name, cwd: root, agent: 'ben' }, flags, work);
  await until('it works again', () => readFileSync(file, 'utf8').includes('attempt 2'));
  // As if git had been killed while it checked out: without the mark that it was whole.
  second.process.kill('SIGKILL');
  await second.ended;
  rmSync(join(root, '.git/worktrees/1-killed/switchyard-whole'));
  rmSync(join(root, '.switchyard/worktrees/1-killed/b.txt'));
  writeFiles(go, { go: '' });
  const third = startRunner(hub, { project: project.name, cwd: root, agent: 'cora' }, flags, work);
  expect(await third.ended).toMatchObject({ code: 0 });
  expect((await getItem(hub, item.id)).status).toBe('done');
  expect(gitIn(root, 'show', 'switchyard/1-killed:a.txt')).toBe('a\nattempt 3');
  expect(gitIn(root, 'show', 'switchyard/1-killed:b.txt')).toBe('b');
});

test('a worktree that cannot be made fails its item, and the runner goes on', async () => {
  const root = newRepository();
  const project = await newProject(hub);
  const [first, second] = await newItems(hub, project, 2);
  // Somebody has the item's branch checked out where people work.
  gitIn(root, 'checkout', '-q', '-b', 'switchyard/1-item-1');
  gitIn(root, 'config', 'branch.switchyard/1-item-1.switchyardItem', first!.id);
  const flags = ['--worktree', '--exit-when-idle'];
  const runner = startRunner(hub, { project: project.name, cwd: root }, flags, append);
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect(await getItem(hub, first!.id)).toMatchObject({ status: 'failed' });
  expect((await getItem(hub, first!.id)).failure_reason).toContain(
    `Branch switchyard/1-item-1 is checked out in ${root}. Check out another one there.`,
  );
  expect((await getItem(hub, second!.id)).status).toBe('done');
});

test('runners that share a repository do not trip over each other', async () => {
  const root = newRepository();
  const project = await newProject(hub);
  await newItems(hub, project, 24);
  const flags = ['--worktree', '--concurrency', '4', '--exit-when-idle', '--no-watch'];
  const start = (agent: string) =>
    startRunner(hub, { project: project.name, cwd: root, agent }, flags, append);
  const first = start('anna');
  await first.says('✓ done'); // the others start in the midst of it, and look at the worktrees
  const runners = [first, start('ben'), start('cora')];
  for (const { ended } of runners) expect(await ended).toMatchObject({ code: 0 });
  const { progress } = await call(hub, 'project.progress', { project: project.id });
  expect(progress).toMatchObject({ done: 24, failed: 0 });
  expect(branches(root).length).toBe(25);
  expect(worktrees(root)).toEqual([]);
  for (const runner of runners) expect(runner.output()).not.toContain('given back');
}, 30_000);

test('without a repository, or a commit, --worktree says what is missing', async () => {
  const folder = newFolder();
  const none = await runOnce(folder, ['true']);
  expect(none.code).toBe(2);
  expect(none.output).toMatch(/--worktree needs a git repository\. .*not a git repository/);
  gitIn(folder, 'init', '--quiet');
  const empty = await runOnce(folder, ['true']);
  expect(empty.code).toBe(2);
  expect(empty.output).toContain('Commit something first.');
  expect(empty.item.status).toBe('todo');
});

test('a base that is no commit, and flags of branches without --worktree, are refused before anything is claimed', async () => {
  const root = newRepository();
  const wrong = await runOnce(root, ['true'], { flags: ['--base', 'nowhere'] });
  expect(wrong).toMatchObject({ code: 2, item: { status: 'todo' } });
  expect(wrong.output).toContain('There is no commit "nowhere" here');
  for (const flags of [['--base', 'main'], ['--no-commit']]) {
    const runner = startRunner(hub, { project: wrong.project.name, cwd: root }, flags, ['true']);
    expect(await runner.ended).toMatchObject({ code: 2 });
    expect(runner.output()).toContain('say that too');
  }
});

test('a runner that starts removes what is over and kept, and names what is not', async () => {
  const root = newRepository();
  const { item, project } = await runOnce(root, ['sh', '-c', 'echo b >> a.txt; git commit -qam b; exit 1'], {
    title: 'Given up',
  });
  await runOnce(root, ['sh', '-c', 'echo b >> a.txt; exit 1'], { title: 'Open' });
  await call(hub, 'item.cancel', { id: item.id });
  const flags = ['--worktree', '--exit-when-idle'];
  const runner = startRunner(hub, { project: project.name, cwd: root }, flags, append);
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect(runner.output()).toContain(
    'Removed .switchyard/worktrees/1-given-up: #1 is cancelled, its work is on switchyard/1-given-up.\n',
  );
  expect(runner.output()).toContain('Earlier runs left work in .switchyard/worktrees/1-open.');
  expect(worktrees(root)).toEqual(['1-open']);
  expect(branches(root)).toEqual(['main', 'switchyard/1-given-up', 'switchyard/1-open']);
});
