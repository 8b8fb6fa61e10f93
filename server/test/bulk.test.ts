import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandInput } from '@switchyard/shared/commands';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import {
  breakDown,
  eventsOf,
  finish,
  get,
  httpAgent,
  make,
  makeAll,
  refusedIn,
  unchanged,
} from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const bulk = (project: string, input: Omit<CommandInput<'items.bulk'>, 'project'>) =>
  call(hub, 'items.bulk', { project, ...input });
const statuses = async (project: string) =>
  (await call(hub, 'item.list', { project })).items.map((item) => item.status);

/** One item of each status: todo, claimed, done, failed, cancelled. */
async function oneOfEach() {
  const { id: project } = await newProject(hub);
  const [, claimed, done, failed, cancelled] = await makeAll(hub, project, [{}, {}, {}, {}, {}]);
  await httpAgent(hub, 'a1').claim(claimed!.id);
  await finish(hub, done!.id);
  await breakDown(hub, failed!.id);
  await call(hub, 'item.cancel', { id: cancelled!.id });
  return project;
}

test('[BK1] cancels what may be cancelled and counts what may not', async () => {
  const project = await oneOfEach();
  expect(await bulk(project, { action: 'cancel', filter: {}, reason: 'stop it all' })).toEqual({
    done: 3,
    skipped: 2,
  });
  expect(await statuses(project)).toEqual(['cancelled', 'cancelled', 'done', 'cancelled', 'cancelled']);
  const events = (await eventsOf(hub, project, 'item.cancelled')).slice(1);
  expect(events.map((event) => event.data.reason)).toEqual(['stop it all', 'stop it all', 'stop it all']);
});

test('[BK1] retries what may be retried', async () => {
  const project = await oneOfEach();
  expect(await bulk(project, { action: 'retry', filter: {} })).toEqual({ done: 2, skipped: 3 });
  expect(await statuses(project)).toEqual(['todo', 'claimed', 'done', 'todo', 'todo']);
});

test('[BK1] sets the priority of what is not over, and passes over what has it', async () => {
  const project = await oneOfEach();
  const set = () => bulk(project, { action: 'set_priority', priority: 2, filter: {} });
  expect(await set()).toEqual({ done: 3, skipped: 2 });
  const { items } = await call(hub, 'item.list', { project });
  expect(items.map((item) => item.priority)).toEqual([2, 2, 5, 2, 5]);
  expect(await unchanged(hub, project, set)).toEqual({ done: 0, skipped: 5 });
});

test('[BK2] goes by the filters of item.list', async () => {
  const { id: project } = await newProject(hub);
  await makeAll(hub, project, [
    { task_type: 'bug' },
    { title: 'find me' },
    { ref: 'p' },
    { parent_item_id: 'p' },
  ]);
  const matched = async (filter: CommandInput<'items.bulk'>['filter']) =>
    (await bulk(project, { action: 'retry', filter })).skipped;
  expect(await matched({ task_type: ['bug'] })).toBe(1);
  expect(await matched({ q: 'find' })).toBe(1);
  expect(await matched({ ready: true, status: 'todo' })).toBe(3);
  expect(await matched({ parent: 'none' })).toBe(3);
  expect(await matched({ status: ['done', 'failed'] })).toBe(0);
  expect(await matched({ number: 4 })).toBe(1);
  expect(await matched({ number: [1, 3, 5] })).toBe(2);
  expect(await matched({ number: '2,4' })).toBe(2);
  expect(await matched({ number: Array.from({ length: 10_000 }, (_, n) => n + 3) })).toBe(2);
  await expect(matched({ number: Array.from({ length: 10_001 }, (_, n) => n + 1) })).rejects.toThrow(
    /filter\.number/,
  );
});

test('[BK3] is refused when another number matches than was expected', async () => {
  const { id: project } = await newProject(hub);
  await makeAll(hub, project, [{}, {}, {}]);
  const cancel = (expected_count: number) => bulk(project, { action: 'cancel', filter: {}, expected_count });
  expect(await refusedIn(hub, project, () => cancel(2))).toMatchObject({
    code: 'VERSION_MISMATCH',
    details: { count: 3, expected_count: 2 },
  });
  expect(await cancel(3)).toEqual({ done: 3, skipped: 0 });
});

test('[BK4] of nothing does nothing; of thousands does them all, parents and children too', async () => {
  const { id: project } = await newProject(hub);
  expect(await bulk(project, { action: 'cancel', filter: {} })).toEqual({ done: 0, skipped: 0 });
  const parent = await make(hub, project);
  const children = Array.from({ length: 999 }, () => ({ parent_item_id: parent.id }));
  await makeAll(hub, project, children);
  await makeAll(hub, project, [{ dependencies: [parent.id] }]);
  expect(await bulk(project, { action: 'cancel', filter: {} })).toEqual({ done: 1_001, skipped: 0 });
  expect(await bulk(project, { action: 'retry', filter: {} })).toEqual({ done: 1_001, skipped: 0 });
  const { item } = await call(hub, 'item.get', { id: parent.id });
  expect(item).toMatchObject({ ready: false });
  expect(item.blocked_by).toHaveLength(999);
  const { events } = await call(hub, 'project.events', { project, after: 0, limit: 1_000 });
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 1_000 }, (_, n) => n + 1));
  await bulk(project, { action: 'cancel', filter: { parent: parent.id } });
  expect((await call(hub, 'item.get', { id: parent.id })).item).toMatchObject({
    ready: true,
    blocked_by: [],
  });
});

/** a ← b ← c of the type "bug", "docs" and none; and d, done, that was made to depend on a. */
async function line() {
  const { id: project } = await newProject(hub);
  const [a, b, c, d] = await makeAll(hub, project, [
    { ref: 'a', task_type: 'bug' },
    { ref: 'b', task_type: 'docs', dependencies: ['a'] },
    { dependencies: ['b'] },
    { task_type: 'bug' },
  ]);
  await finish(hub, d!.id);
  await call(hub, 'item.update', { id: d!.id, dependencies: [a!.id] });
  const look = () => Promise.all([a!, b!, c!, d!].map(({ id }) => get(hub, id)));
  return { project, a: a!, b: b!, c: c!, look };
}
const bugs = { task_type: ['bug'] };

test('[BK5] leaves what waits for a cancelled match waiting unless told', async () => {
  const { project, a, b, look } = await line();
  expect(await bulk(project, { action: 'cancel', filter: bugs })).toEqual({ done: 1, skipped: 1 });
  expect(await look()).toMatchObject([
    { status: 'cancelled' },
    { status: 'todo', blocked_by: [a.id] },
    { status: 'todo', blocked_by: [b.id] },
    { status: 'done' },
  ]);
});

test('[BK5] release drops what others wait for in a match, but not what a match waits for in another', async () => {
  const { project, a, b, c, look } = await line();
  const both = { task_type: ['bug', 'docs'] };
  expect(await bulk(project, { action: 'cancel', filter: both, dependents: 'release' })).toEqual({
    done: 2,
    skipped: 1,
  });
  expect(await look()).toMatchObject([
    { status: 'cancelled' },
    { status: 'cancelled', dependencies: [a.id] },
    { status: 'todo', ready: true, dependencies: [] },
    { status: 'done', dependencies: [] },
  ]);
  for (const { id } of [a, b]) await call(hub, 'item.retry', { id });
  expect(await get(hub, b.id)).toMatchObject({ status: 'todo', blocked_by: [a.id] });
  expect(await get(hub, c.id)).toMatchObject({ ready: true });
});

test('[BK5, BK6] cancel takes along what waits, transitively, and counts it apart from what matches', async () => {
  const { project, look } = await line();
  expect(await bulk(project, { action: 'cancel', filter: bugs, dependents: 'cancel' })).toEqual({
    done: 1,
    skipped: 1,
    along: 2,
  });
  expect((await look()).map((item) => item.status)).toEqual(['cancelled', 'cancelled', 'cancelled', 'done']);
  expect(await eventsOf(hub, project, 'item.cancelled')).toHaveLength(3);
});

/** 1,200 bugs of which each waits for the one before, the last for two that are none. */
async function chain() {
  const { id: project } = await newProject(hub);
  const others = await makeAll(hub, project, [{}, {}]);
  const link = (n: number) => ({
    ref: `r${n}`,
    task_type: 'bug',
    dependencies: n === 0 ? [] : [`r${n - 1}`],
  });
  const first = await makeAll(
    hub,
    project,
    Array.from({ length: 1_000 }, (_, n) => link(n)),
  );
  const rest = await makeAll(
    hub,
    project,
    Array.from({ length: 200 }, (_, n) => ({
      ...link(n),
      dependencies: n === 0 ? [first.at(-1)!.id] : [`r${n - 1}`],
    })),
  );
  for (const { id } of others) await call(hub, 'item.update', { id, dependencies: [rest.at(-1)!.id] });
  return { project, items: [...first, ...rest], others };
}

test('[BK6] a match that went along with an earlier page is done, and counts once', async () => {
  const { project } = await chain();
  expect(await bulk(project, { action: 'cancel', filter: bugs, dependents: 'cancel' })).toEqual({
    done: 1_200,
    skipped: 0,
    along: 2,
  });
  expect((await call(hub, 'item.list', { project, status: ['cancelled'], limit: 1 })).total).toBe(1_202);
});

test('[BK5] what one match waits for in another stays, however far apart they are', async () => {
  const { project, items, others } = await chain();
  expect(await bulk(project, { action: 'cancel', filter: bugs, dependents: 'release' })).toEqual({
    done: 1_200,
    skipped: 0,
  });
  for (const n of [500, 1_000, 1_199])
    expect((await get(hub, items[n]!.id)).dependencies).toEqual([items[n - 1]!.id]);
  for (const { id } of others) expect(await get(hub, id)).toMatchObject({ ready: true, dependencies: [] });
});
