import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseBacklog } from '@switchyard/shared/import/backlog';
import { importPlan } from '@switchyard/shared/import/create';
import type { Plan, PlanItem } from '@switchyard/shared/import/plan';
import type { Item } from '@switchyard/shared/item';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import type { Call } from '../call.ts';
import { readItems } from '../drill/read-back.ts';
import { httpCaller } from '../http.ts';

let hub: TestHub;
let call: Call;
let project: string;
beforeAll(async () => {
  hub = await startTestHub();
  call = httpCaller({ url: hub.url, token: adminToken });
});
afterAll(() => hub.stop());

const beads = [
  { id: 'x-1', title: 'Epic', status: 'closed', issue_type: 'epic', priority: 1, close_reason: 'Enough' },
  { id: 'x-2', title: 'Part', status: 'open', issue_type: 'feature', priority: 0, parent: 'x-1' },
  {
    id: 'x-3',
    title: 'Later',
    status: 'open',
    issue_type: 'bug',
    priority: 2,
    dependencies: [{ depends_on_id: 'x-2', type: 'blocks' }],
  },
  { id: 'x-4', title: 'Gone', status: 'tombstone', issue_type: 'task', priority: 2 },
];
const linesOf = (issues: object[]) => issues.map((issue) => JSON.stringify(issue)).join('\n');

const planned = (key: string, fields: Partial<PlanItem> = {}): PlanItem => ({
  key,
  title: `Item ${key}`,
  description: null,
  task_type: null,
  priority: 5,
  parentKey: null,
  dependencyKeys: [],
  status: 'todo',
  estimated_hours: null,
  result_summary: null,
  metadata: { source: { system: 'checklist', id: key } },
  ...fields,
});
const planOf = (items: PlanItem[]): Plan => ({ system: 'checklist', items, warnings: [] });

async function bySource(): Promise<Record<string, Item>> {
  const items = await readItems(call, project);
  return Object.fromEntries(items.map((item) => [(item.metadata.source as { id: string }).id, item]));
}

async function freshProject(): Promise<void> {
  project = (await newProject(hub)).name;
}

test('what a file says is what the hub holds', async () => {
  await freshProject();
  await importPlan(call, project, parseBacklog(linesOf(beads)));
  const items = await bySource();
  expect(items['x-1']).toMatchObject({
    number: 1,
    status: 'done',
    task_type: 'epic',
    priority: 2,
    result_summary: 'Enough',
    attempt: 0,
  });
  expect(items['x-2']).toMatchObject({
    status: 'todo',
    ready: true,
    parent_item_id: items['x-1']!.id,
    priority: 0,
  });
  expect(items['x-3']).toMatchObject({
    status: 'todo',
    ready: false,
    dependencies: [items['x-2']!.id],
    task_type: 'bug',
  });
  expect(items['x-4']).toMatchObject({ status: 'cancelled' });
});

test('importing again adds only what is new, and links it to what is there', async () => {
  await freshProject();
  await importPlan(call, project, parseBacklog(linesOf(beads)));
  const before = await bySource();
  const dependencies = [{ depends_on_id: 'x-3', type: 'blocks' }];
  const more = {
    id: 'x-5',
    title: 'New',
    status: 'open',
    issue_type: 'task',
    priority: 2,
    parent: 'x-1',
    dependencies,
  };
  const again = parseBacklog(linesOf([...beads.map((issue) => ({ ...issue, title: 'Changed' })), more]));
  expect(await importPlan(call, project, again)).toMatchObject({ created: 1, existing: 4 });
  const after = await bySource();
  expect(Object.keys(after)).toHaveLength(5);
  expect(after['x-2']!.title).toBe('Part');
  expect(after['x-5']).toMatchObject({
    parent_item_id: before['x-1']!.id,
    dependencies: [before['x-3']!.id],
  });
});

test('a large backlog goes in several messages, and an import that broke off is finished by the next', async () => {
  await freshProject();
  const chain = Array.from({ length: 2_300 }, (_, n) =>
    planned(String(n), { dependencyKeys: n === 0 ? [] : [String(n - 1)] }),
  );
  const progress: number[] = [];
  let creates = 0;
  const breaking: Call = (command, input, options) => {
    if (command === 'item.create' && ++creates === 2) return Promise.reject(new Error('the line is dead'));
    return call(command, input, options);
  };
  await expect(importPlan(breaking, project, planOf(chain))).rejects.toThrow('the line is dead');
  expect(
    await importPlan(call, project, planOf(chain), { onProgress: (done) => progress.push(done) }),
  ).toMatchObject({
    created: 1_300,
    existing: 1_000,
  });
  expect(progress).toEqual([1_000, 2_000, 2_300]);
  const items = await bySource();
  expect(items['1000']!.dependencies).toEqual([items['999']!.id]);
  expect(items['2299']!.dependencies).toEqual([items['2298']!.id]);
});

test('one that is stopped leaves what it made, says what is left, and is finished by the next', async () => {
  await freshProject();
  const plan = planOf(Array.from({ length: 1_500 }, (_, n) => planned(String(n))));
  const signal = { aborted: false };
  const onProgress = (done: number) => (signal.aborted = done === 1_000);
  expect(await importPlan(call, project, plan, { signal, onProgress })).toMatchObject({
    created: 1_000,
    existing: 0,
    left: 500,
  });
  expect(await importPlan(call, project, plan)).toMatchObject({ created: 500, existing: 1_000, left: 0 });
});

test('between two parts of a ring it does not stop: their links would be lost', async () => {
  await freshProject();
  const children = Array.from({ length: 1_000 }, (_, n) => planned(`c${n}`, { parentKey: 'p' }));
  const others = Array.from({ length: 1_500 }, (_, n) => planned(`o${n}`));
  const parent = planned('p', { dependencyKeys: children.map((item) => item.key) });
  const signal = { aborted: false };
  const onProgress = (done: number) => (signal.aborted = done > 0);
  const plan = planOf([parent, ...children, ...others]);
  expect(await importPlan(call, project, plan, { signal, onProgress })).toMatchObject({ left: 501 });
  const items = await bySource();
  expect(items.p!.dependencies).toEqual(children.map(({ key }) => items[key]!.id));
});

test('a message that arrives twice makes its items once', async () => {
  await freshProject();
  const twice: Call = async (command, input, options) => {
    if (command === 'item.create') await call(command, input, options);
    return call(command, input, options);
  };
  const { ids } = await importPlan(twice, project, planOf([planned('a'), planned('b', { parentKey: 'a' })]));
  const items = await bySource();
  expect(await readItems(call, project)).toHaveLength(2);
  expect(Object.fromEntries(ids)).toEqual({ a: items.a!.id, b: items.b!.id });
});

test('items that name one another in a ring larger than a message are linked afterwards', async () => {
  await freshProject();
  const children = Array.from({ length: 1_100 }, (_, n) => planned(`c${n}`, { parentKey: 'p' }));
  const parent = planned('p', { dependencyKeys: children.slice(0, 900).map((item) => item.key) });
  await importPlan(call, project, planOf([parent, ...children]));
  const items = await bySource();
  expect(items.p!.dependencies).toEqual(parent.dependencyKeys.map((key) => items[key]!.id));
  expect(items.c1099!.parent_item_id).toBe(items.p!.id);
});

test('an item as large as may be is taken', async () => {
  await freshProject();
  const text = '😀'.repeat(25_000);
  const items = Array.from({ length: 12 }, (_, n) =>
    planned(String(n), { description: text, status: 'done', result_summary: text }),
  );
  expect(await importPlan(call, project, planOf(items))).toMatchObject({ created: 12 });
});

function command(...args: string[]) {
  const env = { ...process.env, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken, INIT_CWD: '' };
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, ['agent/import/main.ts', ...args], { env }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code as number) : 0, stdout, stderr }),
    );
  });
}

test('the command makes the project, says what it did, and has exit codes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-import-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'The Plan.md');
  writeFileSync(file, '- [ ] One\n  - [x] Two #bug\n');

  const first = await command(file);
  expect(first).toMatchObject({
    status: 0,
    stdout: 'the-plan: 2 created, 0 already there (1 todo, 1 done, 0 cancelled)\n',
  });
  expect((await command(file)).stdout).toContain('0 created, 2 already there');
  expect((await command(file, '--project', 'shop')).stdout).toContain('shop: 2 created');
  expect((await command('--help')).stdout).toContain('npm run import');

  expect(await command(join(dir, 'none.md'))).toMatchObject({ status: 2, stdout: '' });
  expect(await command()).toMatchObject({ status: 2 });
  expect(await command(file, '--project', 'Not A Slug')).toMatchObject({ status: 1 });
});

test('of a file that cannot be read the command says where, and what to do', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-import-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'plan');
  writeFileSync(file, Buffer.from('- [ ] Größe', 'latin1'));
  const spoiled = await command(file);
  expect(spoiled).toMatchObject({ status: 2 });
  expect(spoiled.stderr).toContain('not UTF-8 text: see line 1');
  writeFileSync(file, '{"tasks": [\n  {"id": 1 "title": "One"}]}');
  const broken = await command(file);
  expect(broken).toMatchObject({ status: 2 });
  expect(broken.stderr).toContain('line 2 goes wrong at');
});
