import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandInput } from '@switchyard/shared/commands';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { breakDown, eventsOf, finish, httpAgent, make, makeAll, refusedIn, unchanged } from './setup/work.ts';

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
