import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '@switchyard/shared/errors';
import type { Item, Status } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { breakDown, eventsOf, finish, get, httpAgent, make, refusedIn } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

/** How an item comes to stand as it does; `holder` holds it, or held it last. */
const standings = {
  todo: (project: string) => make(hub, project),
  waiting: async (project: string) =>
    make(hub, project, { dependencies: [(await make(hub, project)).id], title: 'waits' }),
  claimed: async (project: string) => claimed(project),
  done: async (project: string) => finish(hub, (await make(hub, project)).id, 'holder'),
  failed: async (project: string) => breakDown(hub, (await make(hub, project)).id, 'holder'),
  // After its fifth failure it is retried in 13 s at the earliest, so that it does not fall due under the test.
  retrying: async (project: string) => {
    const { id } = await make(hub, project, { max_attempts: 6 });
    const holder = httpAgent(hub, 'holder');
    for (let attempt = 1; ; attempt++) {
      await holder.claim(id);
      const { item } = await holder.fail(id, attempt);
      if (attempt === 5) return item;
      await call(hub, 'item.retry', { id });
    }
  },
  cancelled: async (project: string) =>
    (await call(hub, 'item.cancel', { id: (await make(hub, project)).id })).item,
  stopping: async (project: string) =>
    (await call(hub, 'item.cancel', { id: (await claimed(project)).id })).item,
};
type Standing = keyof typeof standings;

async function claimed(project: string, fields = {}): Promise<Item> {
  const { id } = await make(hub, project, fields);
  return (await httpAgent(hub, 'holder').claim(id)).claim.item;
}

const commands = {
  claim: (item: Item) => httpAgent(hub, 'holder').claim(item.id),
  'claim by another': (item: Item) => httpAgent(hub, 'other').claim(item.id),
  heartbeat: (item: Item) => httpAgent(hub, 'holder').heartbeat(item.id, item.attempt || 1),
  report_files: (item: Item) => httpAgent(hub, 'holder').files(item.id, item.attempt || 1, ['a.ts']),
  complete: (item: Item) => httpAgent(hub, 'holder').complete(item.id, item.attempt || 1),
  fail: (item: Item) => httpAgent(hub, 'holder').fail(item.id, item.attempt || 1, { retryable: false }),
  release: (item: Item) => httpAgent(hub, 'holder').release(item.id, item.attempt || 1),
  cancel: ({ id }: Item) => call(hub, 'item.cancel', { id }),
  retry: ({ id }: Item) => call(hub, 'item.retry', { id }),
  update: ({ id }: Item) => call(hub, 'item.update', { id, priority: 1 }),
};
type Command = keyof typeof commands;

const arrow: Partial<Record<Command, string>> = { 'claim by another': 'item.claim' };
const wrong = (command: Command, status: Status) => ({
  code: 'INVALID_TRANSITION' as const,
  details: { status, command: arrow[command] ?? `item.${command}` },
});
const lost = (status: Status, reason: string, attempt = 1) => ({
  code: 'CLAIM_LOST' as const,
  details: { status, attempt, holder: null, reason },
});

/** The status after the command, or the refusal. */
function outcome(
  from: Standing,
  command: Command,
): Status | { code: ErrorCode; details?: Record<string, unknown> } {
  const status = { waiting: 'todo', retrying: 'failed', stopping: 'cancelled' }[from as string] ?? from;
  const now = status as Status;
  const isHolders = ['heartbeat', 'report_files', 'complete', 'fail', 'release'].includes(command);
  if (command === 'update') return now;
  if (command === 'retry') return now === 'failed' || now === 'cancelled' ? 'todo' : wrong(command, now);
  if (command === 'cancel') return now === 'done' || now === 'cancelled' ? wrong(command, now) : 'cancelled';
  if (isHolders) {
    if (from === 'done') return lost('done', 'completed');
    if (from === 'failed') return lost('failed', 'failed');
    if (from === 'retrying') return lost('failed', 'failed', 5);
    if (from === 'stopping') return lost('cancelled', 'cancelled');
    // Never claimed: an attempt that never was cannot have been lost.
    if (from !== 'claimed') return wrong(command, now);
    const after: Partial<Record<Command, Status>> = { complete: 'done', fail: 'failed', release: 'todo' };
    return after[command] ?? 'claimed';
  }
  if (from === 'todo') return 'claimed';
  if (from === 'waiting' || from === 'retrying') return { code: 'NOT_READY' };
  if (from === 'claimed') return command === 'claim' ? 'claimed' : { code: 'ALREADY_CLAIMED' };
  return wrong(command, now);
}

const cells = (Object.keys(standings) as Standing[]).flatMap((from) =>
  (Object.keys(commands) as Command[]).map((command) => ({ from, command, to: outcome(from, command) })),
);
const what = (to: ReturnType<typeof outcome>) => (typeof to === 'string' ? to : to.code);

describe('[SM1] every command meets every status', () => {
  test.each(cells.map((cell) => ({ ...cell, name: what(cell.to) })))(
    '$from, $command: $name',
    async ({ from, command, to }) => {
      const { id: project } = await newProject(hub);
      const item = await standings[from](project);
      if (typeof to === 'string') {
        await commands[command](item);
        expect(await get(hub, item.id)).toMatchObject({ status: to });
        return;
      }
      const act = () => commands[command](item);
      // Whoever tries to end what was cancelled under it has stopped: that much is taken down.
      const stops = from === 'stopping' && ['complete', 'fail', 'release'].includes(command);
      const error = stops
        ? await act().catch((reason: unknown) => reason)
        : await refusedIn(hub, project, act);
      expect(error).toMatchObject(to);
      expect(await get(hub, item.id)).toMatchObject({ status: item.status });
      if (stops) expect((await eventsOf(hub, project)).at(-1)!.type).toBe('item.cancel_acknowledged');
    },
  );
});

test('[SM2] claiming sets holder, attempt and lease; completing keeps who did it and ends the lease', async () => {
  const { id: project } = await newProject(hub);
  const item = await make(hub, project);
  expect(item).toMatchObject({ status: 'todo', attempt: 0, ready: true, version: 1, number: 1 });
  expect(item).toMatchObject({ assigned_agent_id: null, lease_expires_at: null, completed_at: null });
  const agent = httpAgent(hub, 'a1');
  const { claim, conflicts } = await agent.claim(item.id);
  expect(conflicts).toEqual([]);
  expect(claim).toMatchObject({ attempt: 1, session_id: claim.item.session_id });
  expect(claim.item).toMatchObject({ status: 'claimed', assigned_agent_id: 'a1', ready: false, version: 2 });
  expect(claim.item.lease_expires_at).toBe(claim.lease_expires_at);
  const lease = Date.parse(claim.lease_expires_at) - Date.parse(claim.item.assigned_at!);
  expect(lease).toBe(300_000);
  const done = (await agent.complete(item.id, 1, { files_modified: ['./src/a.ts'] })).item;
  expect(done).toMatchObject({
    status: 'done',
    result_summary: 'done it',
    files_modified: ['src/a.ts'],
    progress: 100,
    assigned_agent_id: 'a1',
    lease_expires_at: null,
    failure_reason: null,
  });
  expect(done.completed_at).not.toBeNull();
  expect(await get(hub, item.id)).toEqual(done);
});

test('[SM3] every change raises the version by one and is one line of the log', async () => {
  const { id: project } = await newProject(hub);
  const { id } = await make(hub, project);
  const agent = httpAgent(hub, 'a1');
  await agent.claim(id);
  await agent.heartbeat(id, 1, { progress: 40, note: 'half' });
  await agent.files(id, 1, ['a.ts']);
  await agent.release(id, 1, { reason: 'tired' });
  await agent.claim(id);
  await agent.fail(id, 2);
  await call(hub, 'item.retry', { id });
  await call(hub, 'item.cancel', { id, reason: 'not wanted' });
  await call(hub, 'item.retry', { id });
  await call(hub, 'item.update', { id, title: 'better' });
  await agent.claim(id);
  await agent.complete(id, 3);
  const events = await eventsOf(hub, project);
  expect(events.map((event) => [event.seq, event.type, event.actor, event.attempt])).toEqual([
    [1, 'item.created', 'admin', null],
    [2, 'item.claimed', 'a1', 1],
    [3, 'item.progressed', 'a1', 1],
    [4, 'item.files_reported', 'a1', 1],
    [5, 'item.released', 'a1', 1],
    [6, 'item.claimed', 'a1', 2],
    [7, 'item.failed', 'a1', 2],
    [8, 'item.retried', 'admin', null],
    [9, 'item.cancelled', 'admin', 2],
    [10, 'item.retried', 'admin', null],
    [11, 'item.updated', 'admin', null],
    [12, 'item.claimed', 'a1', 3],
    [13, 'item.completed', 'a1', 3],
  ]);
  expect((await get(hub, id)).version).toBe(13);
});

test('[SM4] a released item forgets its progress, keeps its files and may be claimed by anybody', async () => {
  const { id: project } = await newProject(hub);
  const { id } = await make(hub, project, { files_planned: ['src/'] });
  const a1 = httpAgent(hub, 'a1');
  await a1.claim(id, { files: ['docs/a.md'] });
  await a1.heartbeat(id, 1, { progress: 40, note: 'half' });
  await a1.files(id, 1, ['src/a.ts']);
  const { item } = await a1.release(id, 1);
  expect(item).toMatchObject({ status: 'todo', ready: true, progress: null, progress_note: null });
  expect(item).toMatchObject({ files_planned: ['src/', 'docs/a.md'], files_modified: ['src/a.ts'] });
  expect(item).toMatchObject({ assigned_agent_id: 'a1', attempt: 1, lease_expires_at: null });
  const { claim } = await httpAgent(hub, 'a2').claim(id);
  expect(claim).toMatchObject({ attempt: 2, item: { assigned_agent_id: 'a2' } });
});

test('[SM5] cancelling keeps the reason, and says of a running claim that it is stopping until it is confirmed', async () => {
  const { id: project } = await newProject(hub);
  const item = await claimed(project);
  const cancelled = (await call(hub, 'item.cancel', { id: item.id, reason: 'not wanted' })).item;
  expect(cancelled).toMatchObject({ status: 'cancelled', stopping: true, failure_reason: 'not wanted' });
  expect(cancelled).toMatchObject({ lease_expires_at: null, assigned_agent_id: 'holder' });
  const late = httpAgent(hub, 'holder').complete(item.id, 1);
  await expect(late).rejects.toMatchObject({ code: 'CLAIM_LOST', details: { reason: 'cancelled' } });
  expect(await get(hub, item.id)).toMatchObject({ status: 'cancelled', stopping: false });
  expect(await eventsOf(hub, project, 'item.cancel_acknowledged')).toMatchObject([
    { actor: 'holder', attempt: 1, item_id: item.id },
  ]);
});

test('[SM6] nobody confirms for another that it has stopped', async () => {
  const { id: project } = await newProject(hub);
  const item = await claimed(project);
  await call(hub, 'item.cancel', { id: item.id });
  await refusedIn(hub, project, () => httpAgent(hub, 'stranger').complete(item.id, 1));
  await refusedIn(hub, project, () => httpAgent(hub, 'holder').release(item.id, 2));
  expect(await get(hub, item.id)).toMatchObject({ stopping: true });
});

test('[SM7] commands about an item that does not exist are refused', async () => {
  const ghost = { id: randomUUID(), attempt: 1 } as Item;
  for (const command of Object.values(commands))
    await expect(command(ghost)).rejects.toMatchObject({ code: 'NOT_FOUND', details: { id: ghost.id } });
});
