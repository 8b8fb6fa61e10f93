import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { eventsOf, finish, get, httpAgent, make, makeAll, refusedIn } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const cancel = async (id: string, dependents?: 'block' | 'release' | 'cancel') =>
  (await call(hub, 'item.cancel', { id, dependents })).item;
const update = async (id: string, patch: Record<string, unknown>) =>
  (await call(hub, 'item.update', { id, ...patch })).item;
const look = async (...items: Item[]) => Promise.all(items.map(({ id }) => get(hub, id)));

/** a ← b ← c, and d that depends on a and on another. */
async function line() {
  const p = (await newProject(hub)).id;
  const [a, other, b, c, d] = await makeAll(hub, p, [
    { ref: 'a' },
    { ref: 'other' },
    { ref: 'b', dependencies: ['a'] },
    { ref: 'c', dependencies: ['b'] },
    { ref: 'd', dependencies: ['other', 'a'] },
  ]);
  return { p, a: a!, other: other!, b: b!, c: c!, d: d! };
}

test('[CX1] block, the default, leaves dependents waiting', async () => {
  const { a, b, c, d, other } = await line();
  await cancel(a.id);
  expect(await look(b, c, d)).toMatchObject([
    { status: 'todo', blocked_by: [a.id] },
    { status: 'todo', blocked_by: [b.id] },
    { status: 'todo', blocked_by: [a.id, other.id] },
  ]);
});

test('[CX2] release drops the dependency, and what waits for nothing else is ready', async () => {
  const { p, a, b, c, d, other } = await line();
  await cancel(a.id, 'release');
  expect(await look(b, c, d)).toMatchObject([
    { status: 'todo', ready: true, dependencies: [], blocked_by: [] },
    { status: 'todo', ready: false, dependencies: [b.id] },
    { status: 'todo', ready: false, dependencies: [other.id], blocked_by: [other.id] },
  ]);
  const events = await eventsOf(hub, p, 'item.updated');
  expect(events.map((event) => event.item_id).sort()).toEqual([b.id, d.id].sort());
  expect(events.find((event) => event.item_id === d.id)!.data).toMatchObject({ dependencies: [other.id] });
  expect((await httpAgent(hub, 'a1').claim(b.id)).claim.attempt).toBe(1);
});

test('[CX3] cancel takes them along, and theirs, claimed ones too, but not what is done', async () => {
  const { p, a, b, c, d, other } = await line();
  const e = await make(hub, p);
  await finish(hub, e.id);
  await update(e.id, { dependencies: [a.id] });
  await update(c.id, { dependencies: [] });
  await httpAgent(hub, 'a1').claim(c.id);
  await update(c.id, { dependencies: [b.id] });
  await cancel(a.id, 'cancel');
  expect(await look(a, b, c, d, e, other)).toMatchObject([
    { status: 'cancelled', stopping: false },
    { status: 'cancelled', stopping: false },
    { status: 'cancelled', stopping: true },
    { status: 'cancelled', stopping: false },
    { status: 'done' },
    { status: 'todo', ready: true },
  ]);
  expect(await eventsOf(hub, p, 'item.cancelled')).toHaveLength(4);
});

test('[CX4] dependents that go along free their parents', async () => {
  const p = (await newProject(hub)).id;
  const [a, parent, child] = await makeAll(hub, p, [
    { ref: 'a' },
    { ref: 'parent' },
    { parent_item_id: 'parent', dependencies: ['a'] },
  ]);
  await cancel(a!.id, 'cancel');
  expect(await look(child!, parent!)).toMatchObject([
    { status: 'cancelled' },
    { status: 'todo', ready: true },
  ]);
});

test('[CX4] a child and its parent cancelled together are cancelled once each, and come back in order', async () => {
  const p = (await newProject(hub)).id;
  const [a, parent, child] = await makeAll(hub, p, [
    { ref: 'a' },
    { ref: 'parent', dependencies: ['a'] },
    { parent_item_id: 'parent', dependencies: ['a'] },
  ]);
  await cancel(a!.id, 'cancel');
  expect(await look(parent!, child!)).toMatchObject([{ status: 'cancelled' }, { status: 'cancelled' }]);
  expect(await eventsOf(hub, p, 'item.cancelled')).toHaveLength(3);
  await call(hub, 'item.retry', { id: parent!.id });
  expect(await get(hub, parent!.id)).toMatchObject({ status: 'todo', blocked_by: [a!.id] });
  await call(hub, 'item.retry', { id: child!.id });
  expect([...(await get(hub, parent!.id)).blocked_by].sort()).toEqual([a!.id, child!.id].sort());
  await call(hub, 'item.retry', { id: a!.id });
  for (const { id } of [a!, child!, parent!]) await finish(hub, id);
  expect(await get(hub, parent!.id)).toMatchObject({ status: 'done' });
});

test('[CX5] cancelling what is over already is refused whatever becomes of its dependents', async () => {
  const { p, a, b } = await line();
  await finish(hub, a.id);
  for (const dependents of ['block', 'release', 'cancel'] as const)
    expect(await refusedIn(hub, p, () => cancel(a.id, dependents))).toMatchObject({
      code: 'INVALID_TRANSITION',
      details: { status: 'done', command: 'item.cancel' },
    });
  expect(await get(hub, b.id)).toMatchObject({ ready: true });
});

test('[CX6] what is claimed while it waits for others is refused as cancelled, not as waiting', async () => {
  const { p, b } = await line();
  await cancel(b.id);
  expect(await refusedIn(hub, p, () => httpAgent(hub, 'a1').claim(b.id))).toMatchObject({
    code: 'INVALID_TRANSITION',
    details: { status: 'cancelled', command: 'item.claim' },
  });
});
