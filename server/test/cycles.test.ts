import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WireError } from '@switchyard/shared/errors';
import { call, newProject, refusal, startTestHub, type TestHub } from './setup/hub.ts';
import { finish, make, makeAll, refusedIn } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const project = async () => (await newProject(hub)).id;
const update = async (id: string, patch: Record<string, unknown>) =>
  (await call(hub, 'item.update', { id, ...patch })).item;

/** A cycle's path: each waits for the next, the last for the first, by the links given. */
function expectCycle(error: WireError, waitsFor: Record<string, string[]>): void {
  expect(error.code).toBe('DEPENDENCY_CYCLE');
  const path = error.details.path as string[];
  expect(path.length).toBeGreaterThan(0);
  expect(new Set(path).size).toBe(path.length);
  path.forEach((id, place) => expect(waitsFor[id]).toContain(path[(place + 1) % path.length]));
}

test('[DP8] an item that would wait for itself is refused', async () => {
  const p = await project();
  const a = await make(hub, p);
  for (const patch of [{ dependencies: [a.id] }, { parent_item_id: a.id }]) {
    const error = await refusedIn(hub, p, () => update(a.id, patch));
    expectCycle(error, { [a.id]: [a.id] });
  }
  for (const item of [
    { ref: 'x', dependencies: ['x'] },
    { ref: 'x', parent_item_id: 'x' },
  ]) {
    const error = await refusedIn(hub, p, () => makeAll(hub, p, [item]));
    expect(error.code).toBe('DEPENDENCY_CYCLE');
    expect(error.details.path).toHaveLength(1);
  }
});

test('[DP8] through dependencies', async () => {
  const p = await project();
  const a = await make(hub, p);
  const b = await make(hub, p, { dependencies: [a.id] });
  const c = await make(hub, p, { dependencies: [b.id] });
  const error = await refusedIn(hub, p, () => update(a.id, { dependencies: [c.id] }));
  expectCycle(error, { [a.id]: [c.id], [b.id]: [a.id], [c.id]: [b.id] });
});

test('[DP8] through dependencies that are done', async () => {
  const p = await project();
  const a = await make(hub, p);
  const b = await make(hub, p, { dependencies: [a.id] });
  await finish(hub, a.id);
  const error = await refusedIn(hub, p, () => update(a.id, { dependencies: [b.id] }));
  expectCycle(error, { [a.id]: [b.id], [b.id]: [a.id] });
});

test('[DP8] through parents', async () => {
  const p = await project();
  const a = await make(hub, p);
  const b = await make(hub, p, { parent_item_id: a.id });
  const c = await make(hub, p, { parent_item_id: b.id });
  const error = await refusedIn(hub, p, () => update(a.id, { parent_item_id: c.id }));
  expectCycle(error, { [a.id]: [b.id], [b.id]: [c.id], [c.id]: [a.id] });
});

test('[DP8] a child that depends on its parent, created or updated so', async () => {
  const p = await project();
  const a = await make(hub, p);
  const b = await make(hub, p, { parent_item_id: a.id });
  expectCycle(await refusedIn(hub, p, () => update(b.id, { dependencies: [a.id] })), {
    [a.id]: [b.id],
    [b.id]: [a.id],
  });
  const create = () => make(hub, p, { parent_item_id: a.id, dependencies: [a.id] });
  const error = await refusedIn(hub, p, create);
  expect(error.code).toBe('DEPENDENCY_CYCLE');
  expect(error.details.path).toHaveLength(2);
  expect(error.details.path).toContain(a.id);
});

test('[DP8] a child of what waits for it far down the line', async () => {
  const p = await project();
  const grandparent = await make(hub, p);
  const parent = await make(hub, p, { parent_item_id: grandparent.id });
  const gate = await make(hub, p, { dependencies: [grandparent.id] });
  const round = (child: string) => ({
    [grandparent.id]: [parent.id],
    [parent.id]: [child],
    [child]: [gate.id],
    [gate.id]: [grandparent.id],
  });
  const create = () => make(hub, p, { parent_item_id: parent.id, dependencies: [gate.id] });
  const error = await refusedIn(hub, p, create);
  const known = [grandparent.id, parent.id, gate.id];
  const fresh = (error.details.path as string[]).find((id) => !known.includes(id))!;
  expectCycle(error, round(fresh));
  const child = await make(hub, p, { dependencies: [gate.id] });
  expectCycle(
    await refusedIn(hub, p, () => update(child.id, { parent_item_id: parent.id })),
    round(child.id),
  );
});

test('[DP8] within one array, and through an array across items there are', async () => {
  const p = await project();
  const within = await refusedIn(hub, p, () =>
    makeAll(hub, p, [
      { ref: 'a', dependencies: ['c'] },
      { ref: 'b', dependencies: ['a'] },
      { ref: 'c', dependencies: ['b'] },
      { ref: 'd', dependencies: ['a'] },
    ]),
  );
  expect(within.code).toBe('DEPENDENCY_CYCLE');
  expect(within.details.path).toHaveLength(3);
  const old = await make(hub, p);
  const across = await refusedIn(hub, p, () =>
    makeAll(hub, p, [
      { ref: 'child', parent_item_id: old.id, dependencies: ['x'] },
      { ref: 'x', dependencies: [old.id] },
    ]),
  );
  expect(across.code).toBe('DEPENDENCY_CYCLE');
  expect(across.details.path).toHaveLength(3);
  expect(across.details.path).toContain(old.id);
  const mixed = await refusedIn(hub, p, () =>
    makeAll(hub, p, [
      { ref: 'parent', dependencies: ['other'] },
      { ref: 'other', dependencies: ['child'] },
      { ref: 'child', dependencies: ['parent'] },
    ]),
  );
  expect(mixed.code).toBe('DEPENDENCY_CYCLE');
});

test('[DP9] the path goes by the links as they would be, not by those that the change takes away', async () => {
  const p = await project();
  const [a, b, c] = await makeAll(hub, p, [
    { ref: 'a' },
    { ref: 'b', dependencies: ['a'] },
    { dependencies: ['b'] },
  ]);
  // b leaves a for c, and becomes a child of a: it is c that it goes in a circle with.
  const relink = { dependencies: [c!.id], parent_item_id: a!.id };
  const error = await refusedIn(hub, p, () => update(b!.id, relink));
  expectCycle(error, { [a!.id]: [b!.id], [b!.id]: [c!.id], [c!.id]: [b!.id] });
  expect(await update(b!.id, { ...relink, dependencies: [] })).toMatchObject({ ready: true });
});

test('[DP9] a diamond is no cycle, nor is a long chain', async () => {
  const p = await project();
  const diamond = await makeAll(hub, p, [
    { ref: 'top' },
    { ref: 'left', dependencies: ['top'] },
    { ref: 'right', dependencies: ['top'] },
    { dependencies: ['left', 'right'] },
  ]);
  expect(diamond.map((item) => item.blocked_by.length)).toEqual([0, 1, 1, 2]);
  const link = (n: number) => ({ ref: `r${n}`, dependencies: n > 0 ? [`r${n - 1}`] : [] });
  const chain = await makeAll(
    hub,
    p,
    Array.from({ length: 1_000 }, (_, n) => link(n)),
  );
  const error = await refusal(update(chain[0]!.id, { dependencies: [chain.at(-1)!.id] }));
  expect(error.code).toBe('DEPENDENCY_CYCLE');
  expect(error.details.path).toHaveLength(1_000);
});
