import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { breakDown, eventsOf, finish, get, httpAgent, make, makeAll, refusedIn } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const project = async () => (await newProject(hub)).id;
const cancel = async (id: string) => (await call(hub, 'item.cancel', { id })).item;
const update = async (id: string, patch: Record<string, unknown>) =>
  (await call(hub, 'item.update', { id, ...patch })).item;
const explain = (id: string) => call(hub, 'item.explain', { id });

describe('dependencies', () => {
  test('[DP1] an item waits until every dependency is done', async () => {
    const p = await project();
    const a = await make(hub, p);
    const b = await make(hub, p);
    const c = await make(hub, p, { dependencies: [b.id, a.id] });
    expect(c).toMatchObject({ ready: false, dependencies: [b.id, a.id] });
    expect([...c.blocked_by].sort()).toEqual([a.id, b.id].sort());
    const claim = () => httpAgent(hub, 'a1').claim(c.id);
    expect(await refusedIn(hub, p, claim)).toMatchObject({
      code: 'NOT_READY',
      details: { blocked_by: [a.id, b.id], open_children: [], retry_at: null },
    });
    await finish(hub, a.id);
    expect(await get(hub, c.id)).toMatchObject({ ready: false, blocked_by: [b.id] });
    await finish(hub, b.id);
    expect(await get(hub, c.id)).toMatchObject({ ready: true, blocked_by: [], dependencies: [b.id, a.id] });
    expect((await claim()).claim.attempt).toBe(1);
  });

  test('[DP1] the completion that unblocks says so in the log, and its `next` may be what it unblocked', async () => {
    const p = await project();
    const [a, b] = await makeAll(hub, p, [{ ref: 'a' }, { dependencies: ['a'] }]);
    const agent = httpAgent(hub, 'a1');
    await agent.claim(a!.id);
    const { next } = await agent.complete(a!.id, 1, { claim_next: true });
    expect(next?.claim?.item.id).toBe(b!.id);
    const [updated] = await eventsOf(hub, p, 'item.updated');
    expect(updated).toMatchObject({ item_id: b!.id, data: { blocked_by: [] } });
  });

  test('[DP2] a dependency that is done already counts at once', async () => {
    const p = await project();
    const a = await make(hub, p);
    await finish(hub, a.id);
    const b = await make(hub, p, { dependencies: [a.id] });
    expect(b).toMatchObject({ ready: true, blocked_by: [], dependencies: [a.id] });
    const c = await make(hub, p);
    expect(await update(c.id, { dependencies: [a.id] })).toMatchObject({ ready: true, blocked_by: [] });
  });

  test.each([
    ['cancelled', (id: string) => cancel(id), 'DEPENDENCY_CANCELLED'],
    ['failed', (id: string) => breakDown(hub, id), 'DEPENDENCY_FAILED'],
  ])('[DP3] a %s dependency blocks, and explain says so', async (status, end, code) => {
    const p = await project();
    const a = await make(hub, p, { title: 'the first' });
    const b = await make(hub, p, { dependencies: [a.id] });
    await end(a.id);
    const c = await make(hub, p, { dependencies: [a.id] });
    for (const { id } of [b, c]) {
      expect(await get(hub, id)).toMatchObject({ ready: false, blocked_by: [a.id] });
      const { ready, reasons } = await explain(id);
      expect(ready).toBe(false);
      expect(reasons).toMatchObject([{ code, item_id: a.id, number: 1, status }]);
      expect(reasons[0]!.message).toContain('#1 "the first"');
    }
    await call(hub, 'item.retry', { id: a.id });
    expect(await get(hub, b.id)).toMatchObject({ ready: false, blocked_by: [a.id] });
    await finish(hub, a.id);
    expect(await get(hub, b.id)).toMatchObject({ ready: true });
  });

  test('[DP4] what stands twice among the dependencies is refused, however it is written', async () => {
    const p = await project();
    const a = await make(hub, p);
    const b = await make(hub, p);
    const twice = { dependencies: [a.id, a.id.toUpperCase()] };
    const creating = await refusedIn(hub, p, () => make(hub, p, twice));
    const updating = await refusedIn(hub, p, () => update(b.id, twice));
    for (const error of [creating, updating])
      expect(error).toMatchObject({
        code: 'VALIDATION',
        details: { issues: [{ path: 'dependencies.1', message: 'stands twice' }] },
      });
  });

  test('[DP5] a link leads to an item of the same project, or the input is refused', async () => {
    const p = await project();
    const other = await make(hub, await project());
    const b = await make(hub, p);
    for (const id of [other.id, randomUUID()]) {
      const tries: [string, () => Promise<unknown>][] = [
        ['dependencies.1', () => make(hub, p, { dependencies: [b.id, id] })],
        ['parent_item_id', () => make(hub, p, { parent_item_id: id })],
        ['items.1.dependencies.0', () => makeAll(hub, p, [{}, { dependencies: [id] }])],
        ['items.1.parent_item_id', () => makeAll(hub, p, [{}, { parent_item_id: id }])],
        ['dependencies.0', () => update(b.id, { dependencies: [id] })],
        ['parent_item_id', () => update(b.id, { parent_item_id: id })],
      ];
      for (const [path, act] of tries) {
        const error = await refusedIn(hub, p, act);
        expect(error, path).toMatchObject({ code: 'VALIDATION', details: { issues: [{ path }] } });
      }
    }
    expect(await get(hub, other.id)).toEqual(other);
  });

  test('[DP6] items of one array name each other by ref; a ref that is unknown or stands twice is refused', async () => {
    const p = await project();
    const [a, b, c] = await makeAll(hub, p, [
      { ref: 'epic' },
      { ref: 'step', parent_item_id: 'epic' },
      { dependencies: ['step'], parent_item_id: 'epic' },
    ]);
    expect(b).toMatchObject({ parent_item_id: a!.id, ready: true });
    expect(c).toMatchObject({ parent_item_id: a!.id, dependencies: [b!.id], blocked_by: [b!.id] });
    expect(a).toMatchObject({ ready: false });
    expect([...a!.blocked_by].sort()).toEqual([b!.id, c!.id].sort());
    expect([a!.number, b!.number, c!.number]).toEqual([1, 2, 3]);
    const unknown = await refusedIn(hub, p, () => makeAll(hub, p, [{ dependencies: ['nowhere'] }]));
    expect(unknown).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path: 'items.0.dependencies.0' }] },
    });
    const twice = await refusedIn(hub, p, () => makeAll(hub, p, [{ ref: 'x' }, { ref: 'x' }]));
    expect(twice).toMatchObject({ code: 'VALIDATION', details: { issues: [{ path: 'items.1.ref' }] } });
  });

  test('[DP7] relinking an item counts what it waits for anew', async () => {
    const p = await project();
    const [a, b, c] = await makeAll(hub, p, [{ ref: 'a' }, { ref: 'b' }, { dependencies: ['a'] }]);
    expect(await update(c!.id, { dependencies: [b!.id, a!.id] })).toMatchObject({
      ready: false,
      dependencies: [b!.id, a!.id],
      blocked_by: [a!.id, b!.id],
    });
    await finish(hub, a!.id);
    expect(await update(c!.id, { dependencies: [a!.id] })).toMatchObject({ ready: true, blocked_by: [] });
    expect(await update(c!.id, { dependencies: [b!.id] })).toMatchObject({ ready: false });
    expect(await update(c!.id, { dependencies: [] })).toMatchObject({ ready: true, dependencies: [] });
    await finish(hub, b!.id);
    expect(await get(hub, c!.id)).toMatchObject({ ready: true, blocked_by: [] });
  });

  test('[DP7] an id may be written in capitals', async () => {
    const p = await project();
    const [a, b] = await makeAll(hub, p, [{}, {}]);
    const id = b!.id.toUpperCase();
    expect(await update(id, { dependencies: [a!.id.toUpperCase()] })).toMatchObject({
      dependencies: [a!.id],
    });
    await finish(hub, a!.id.toUpperCase());
    expect(await finish(hub, id)).toMatchObject({ id: b!.id, status: 'done' });
  });
});

describe('parents', () => {
  test('[PR1] a parent with an open child is not ready, and comes back when its last child is done', async () => {
    const p = await project();
    const parent = await make(hub, p);
    const one = await make(hub, p, { parent_item_id: parent.id });
    const two = await make(hub, p, { parent_item_id: parent.id });
    expect(await get(hub, parent.id)).toMatchObject({ ready: false, blocked_by: [one.id, two.id] });
    const claim = () => httpAgent(hub, 'a1').claim(parent.id);
    expect(await refusedIn(hub, p, claim)).toMatchObject({
      code: 'NOT_READY',
      details: { blocked_by: [one.id, two.id], open_children: [one.id, two.id] },
    });
    const { reasons } = await explain(parent.id);
    expect(reasons.map((reason) => reason.code)).toEqual(['CHILD_OPEN', 'CHILD_OPEN']);
    await finish(hub, one.id);
    expect(await get(hub, parent.id)).toMatchObject({ ready: false, blocked_by: [two.id] });
    await breakDown(hub, two.id);
    expect(await get(hub, parent.id)).toMatchObject({ ready: false, blocked_by: [two.id] });
    await call(hub, 'item.retry', { id: two.id });
    expect(await get(hub, parent.id)).toMatchObject({ ready: false, blocked_by: [two.id] });
    await finish(hub, two.id);
    expect(await get(hub, parent.id)).toMatchObject({ ready: true, blocked_by: [] });
    expect((await claim()).claim.attempt).toBe(1);
  });

  test('[PR2] a cancelled child does not hold its parent back, until it is retried', async () => {
    const p = await project();
    const parent = await make(hub, p);
    const child = await make(hub, p, { parent_item_id: parent.id });
    await cancel(child.id);
    expect(await get(hub, parent.id)).toMatchObject({ ready: true, blocked_by: [] });
    await call(hub, 'item.retry', { id: child.id });
    expect(await get(hub, parent.id)).toMatchObject({ ready: false, blocked_by: [child.id] });
    await cancel(child.id);
    expect(await get(hub, parent.id)).toMatchObject({ ready: true });
  });

  test('[PR3] moving an open child lets the old parent go and holds the new one', async () => {
    const p = await project();
    const [old, next, child] = await makeAll(hub, p, [{ ref: 'old' }, {}, { parent_item_id: 'old' }]);
    expect(await update(child!.id, { parent_item_id: next!.id })).toMatchObject({ parent_item_id: next!.id });
    expect(await get(hub, old!.id)).toMatchObject({ ready: true, blocked_by: [] });
    expect(await get(hub, next!.id)).toMatchObject({ ready: false, blocked_by: [child!.id] });
    await update(child!.id, { parent_item_id: null });
    expect(await get(hub, next!.id)).toMatchObject({ ready: true, blocked_by: [] });
  });

  test('[PR3] moving a child that is over holds nobody', async () => {
    const p = await project();
    const [next, child] = await makeAll(hub, p, [{}, {}]);
    await finish(hub, child!.id);
    await update(child!.id, { parent_item_id: next!.id });
    expect(await get(hub, next!.id)).toMatchObject({ ready: true, blocked_by: [] });
  });

  test('[PR4] a child that is a dependency of its parent too holds it once, and frees it wholly', async () => {
    const p = await project();
    const child = await make(hub, p);
    const parent = await make(hub, p, { dependencies: [child.id] });
    await update(child.id, { parent_item_id: parent.id });
    expect(await get(hub, parent.id)).toMatchObject({ blocked_by: [child.id] });
    await finish(hub, child.id);
    expect(await get(hub, parent.id)).toMatchObject({ ready: true, blocked_by: [] });
    const [both] = await makeAll(hub, p, [
      { ref: 'parent', dependencies: ['child'] },
      { ref: 'child', parent_item_id: 'parent' },
    ]);
    expect(both!.blocked_by).toHaveLength(1);
    await finish(hub, both!.blocked_by[0]!);
    expect(await get(hub, both!.id)).toMatchObject({ ready: true, blocked_by: [] });
  });

  test('[PR5] a claimed parent that gets a child stays claimed, but waits once it is released', async () => {
    const p = await project();
    const parent = await make(hub, p);
    const agent = httpAgent(hub, 'a1');
    await agent.claim(parent.id);
    const child = await make(hub, p, { parent_item_id: parent.id });
    expect(await get(hub, parent.id)).toMatchObject({ status: 'claimed', blocked_by: [child.id] });
    await agent.release(parent.id, 1);
    expect(await get(hub, parent.id)).toMatchObject({ status: 'todo', ready: false });
    await finish(hub, child.id);
    await agent.claim(parent.id);
    expect((await agent.complete(parent.id, 2)).item.status).toBe('done');
  });
});
