// Files that change while a command runs are reported as they do.
import { realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, getItem, logOf, newItem, newItems } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { gitIn, newFolder, newRepository, nodeCommand, startRunner, writeFiles } from './setup/runner.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

/** Runs a program, and then waits until a file lies beside the tree that is named for the item, or "go". */
const thenWait = (program: string, goFolder: string) =>
  nodeCommand(`
    ${program};
    const wait = () => {
      const names = ['go', process.env.SWITCHYARD_ITEM_NUMBER].map((name) => ${JSON.stringify(goFolder)} + '/' + name);
      if (!names.some((name) => fs.existsSync(name))) setTimeout(wait, 10);
    };
    wait();
  `);

/** What a project's log says of an item's files, so far. */
async function reportedFor(item: Item): Promise<string[]> {
  const events = await eventsOf(hub, item, 'item.files_reported');
  return events.flatMap(({ data }) => data.files_added as string[]).sort();
}

const reports = (item: Item, ...files: string[]) =>
  until(`#${item.number} has reported ${files.join(', ')}`, async () => {
    const reported = await reportedFor(item);
    return files.every((file) => reported.includes(file));
  });

test('files that are made, changed and deleted are reported before the command ends', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const root = newRepository({
    'a.txt': 'a',
    'old.txt': 'old',
    'lib/x.txt': 'x',
    '.gitignore': '/tmp/\n*.log\n',
  });
  const go = newFolder();
  const work = thenWait(
    `fs.writeFileSync('a.txt', 'b'); fs.rmSync('../old.txt', { force: true }); fs.rmSync('old.txt', { force: true });
     fs.mkdirSync('src/deep', { recursive: true }); fs.writeFileSync('src/deep/new [x].txt', '');
     fs.writeFileSync('debug.log', ''); fs.mkdirSync('tmp'); fs.writeFileSync('tmp/y', '');
     fs.mkdirSync('node_modules'); fs.writeFileSync('node_modules/z', '')`,
    go,
  );
  const runner = startRunner(hub, { project: project.name, cwd: root }, ['--max-items', '1'], work);
  await reports(item, 'a.txt', 'old.txt', 'src/deep/new [x].txt');
  expect((await getItem(hub, item.id)).status).toBe('claimed');
  writeFiles(go, { go: '' });
  expect(await runner.ended).toMatchObject({ code: 0 });
  const { files_modified } = await getItem(hub, item.id);
  expect(files_modified.toSorted()).toEqual(['a.txt', 'old.txt', 'src/deep/new [x].txt']);
});

test('paths are those of the repository, also from a folder below, and what git alone sees is completed with', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project, { files_planned: ['packages/a/index.js', 'other.js'] });
  const root = newRepository({ 'packages/a/index.js': '', 'kept.log': 'tracked', 'other.js': '' });
  writeFiles(root, { '.gitignore': '*.log\n' }); // kept.log is tracked all the same
  gitIn(root, 'add', '.gitignore');
  gitIn(root, 'commit', '--quiet', '-m', 'Ignore logs');
  const work = nodeCommand(`
    for (const file of process.argv.slice(1)) fs.writeFileSync(file, 'x');
    fs.writeFileSync('../../kept.log', 'changed');
    console.log(process.cwd(), ...process.argv.slice(1));
  `);
  const cwd = join(root, 'packages/a');
  const runner = startRunner(hub, { project: project.name, cwd }, ['--max-items', '1'], [...work, '{files}']);
  expect(await runner.ended).toMatchObject({ code: 0 });
  const { files_modified, result_summary } = await getItem(hub, item.id);
  expect(result_summary).toBe(`${realpathSync(cwd)} index.js ../../other.js`);
  expect(files_modified.toSorted()).toEqual(['kept.log', 'other.js', 'packages/a/index.js']);
});

test('a folder that is no repository is watched as well', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const folder = newFolder();
  const go = newFolder();
  const runner = startRunner(
    hub,
    { project: project.name, cwd: folder },
    ['--max-items', '1'],
    thenWait(`fs.writeFileSync('made.txt', '')`, go),
  );
  await reports(item, 'made.txt');
  writeFiles(go, { go: '' });
  expect(await runner.ended).toMatchObject({ code: 0 });
});

test('two runners whose commands touch one file hear of each other while they work', async () => {
  const project = await newProject(hub);
  const [first, second] = await newItems(hub, project, 2);
  const root = newRepository();
  const go = newFolder();
  const work = thenWait(`fs.appendFileSync('a.txt', process.env.SWITCHYARD_AGENT)`, go);
  const flags = ['--worktree', '--max-items', '1'];
  const runners = ['anna', 'ben'].map((agent) =>
    startRunner(hub, { project: project.name, cwd: root, agent }, flags, work),
  );
  await until('the conflict is in the log', async () =>
    (await logOf(hub, project)).some(
      ({ type, data }) =>
        type === 'conflict.detected' &&
        JSON.stringify(data).includes('a.txt') &&
        JSON.stringify(data).includes('modified'),
    ),
  );
  for (const { id } of [first!, second!]) expect((await getItem(hub, id)).status).toBe('claimed');
  await runners[0]!.says(/#(1|2) ⚠ a\.txt is also being changed by #(2|1) \(ben\)/);
  await runners[1]!.says(/#(1|2) ⚠ a\.txt is also being changed by #(2|1) \(anna\)/);
  writeFiles(go, { go: '' });
  for (const { ended } of runners) expect(await ended).toMatchObject({ code: 0 });
});

test('in a tree that several share, a change counts for the items that planned it, and for no other', async () => {
  const project = await newProject(hub);
  const planned = await newItem(hub, project, { files_planned: ['src/*.txt'] });
  const other = await newItem(hub, project);
  const root = newRepository();
  const go = newFolder();
  const work = thenWait(
    `fs.mkdirSync('src', { recursive: true });
     fs.writeFileSync('started-' + process.env.SWITCHYARD_ITEM_NUMBER, '')`,
    go,
  );
  const flags = ['--concurrency', '2', '--max-items', '2'];
  const runner = startRunner(hub, { project: project.name, cwd: root }, flags, work);
  await runner.says('Several items are worked on in this tree');
  for (const { id } of [planned, other])
    await until('it is claimed', async () => (await getItem(hub, id)).status === 'claimed');
  await until('both work', () =>
    ['1', '2'].every((number) => gitIn(root, 'status', '-s').includes(`started-${number}`)),
  );
  writeFiles(root, { 'src/planned.txt': '', 'unplanned.txt': '' });
  await reports(planned, 'src/planned.txt');
  writeFiles(go, { 2: '' });
  await until('the other is done', async () => (await getItem(hub, other.id)).status === 'done');
  expect((await getItem(hub, other.id)).files_modified).not.toContain('unplanned.txt');
  // Now alone, yet what was changed before may be the other's.
  writeFiles(go, { go: '' });
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect((await getItem(hub, planned.id)).files_modified).not.toContain('unplanned.txt');
  rmSync(join(root, 'src'), { recursive: true });
});

test('runners in one tree know of each other, and none reports what the other changed', async () => {
  const project = await newProject(hub);
  const [first, second] = await newItems(hub, project, 2);
  const root = newRepository();
  const go = newFolder();
  const work = thenWait(`fs.writeFileSync('by-' + process.env.SWITCHYARD_ITEM_NUMBER, '')`, go);
  const runners = ['anna', 'ben'].map((agent) =>
    startRunner(hub, { project: project.name, cwd: root, agent }, ['--max-items', '1'], work),
  );
  await Promise.any(runners.map((runner) => runner.says('Another runner works on an item in this tree')));
  await until('both work', () =>
    ['by-1', 'by-2'].every((file) => gitIn(root, 'status', '-s').includes(file)),
  );
  writeFiles(go, { go: '' });
  for (const { ended } of runners) expect(await ended).toMatchObject({ code: 0 });
  for (const { id, number } of [first!, second!]) {
    const item = await getItem(hub, id);
    expect(item.status).toBe('done');
    expect(item.files_modified).not.toContain(`by-${3 - number}`);
  }
});

test('thousands of files are named by their folders', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const many = nodeCommand(`
    for (let folder = 0; folder < 52; folder += 1) {
      fs.mkdirSync('made/' + folder, { recursive: true });
      for (let n = 0; n < 100; n += 1) fs.writeFileSync('made/' + folder + '/' + n, '');
    }
  `);
  const runner = startRunner(
    hub,
    { project: project.name, cwd: newRepository() },
    ['--max-items', '1'],
    many,
  );
  expect(await runner.ended).toMatchObject({ code: 0 });
  const { files_modified, status } = await getItem(hub, item.id);
  expect(status).toBe('done');
  expect(files_modified.length).toBeGreaterThan(5_000);
  expect(files_modified.length).toBeLessThan(5_100);
  const folders = new Set(files_modified.map((path) => path.split('/').slice(0, 2).join('/')));
  expect(folders.size).toBe(52);
});

test('--no-watch reports nothing', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const flags = ['--max-items', '1', '--no-watch'];
  const work = nodeCommand(`fs.writeFileSync('a.txt', 'changed')`);
  const runner = startRunner(hub, { project: project.name, cwd: newRepository() }, flags, work);
  expect(await runner.ended).toMatchObject({ code: 0 });
  expect((await getItem(hub, item.id)).files_modified).toEqual([]);
  expect((await call(hub, 'project.conflicts', { project: project.id })).conflicts).toEqual([]);
});
