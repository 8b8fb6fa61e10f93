import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { eventsOf, get, hearAbout, httpAgent, make, refusedIn, watch } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 0.2 } });
});
afterAll(() => hub.stop());

const agent = () => httpAgent(hub, 'a1');
async function failOnce(id: string, more = {}) {
  const { claim } = await agent().claim(id);
  return (await agent().fail(id, claim.attempt, more)).item;
}

test('[RT1] without attempts left, a failed item stays failed and says why', async () => {
  const { id: p } = await newProject(hub);
  const { id } = await make(hub, p);
  const item = await failOnce(id, { failure_reason: 'the tests are red' });
  expect(item).toMatchObject({
    status: 'failed',
    retry_at: null,
    failure_count: 1,
    attempt: 1,
    max_attempts: 1,
  });
  expect(item).toMatchObject({ failure_reason: 'the tests are red', assigned_agent_id: 'a1', ready: false });
  expect(item.completed_at).not.toBeNull();
});

test('[RT2] while attempts remain, a retry falls due after 1 s, doubled with each failure up to 5 min, less a fifth at most', async () => {
  const { id: p } = await newProject(hub);
  const { id } = await make(hub, p, { max_attempts: 12 });
  for (let failures = 1; failures <= 12; failures++) {
    const item = await failOnce(id);
    expect(item).toMatchObject({ status: 'failed', failure_count: failures, attempt: failures });
    if (failures === 12) expect(item.retry_at).toBeNull();
    else {
      const delay = Date.parse(item.retry_at!) - Date.parse(item.completed_at!);
      const full = Math.min(300_000, 1_000 * 2 ** (failures - 1));
      expect(delay).toBeLessThanOrEqual(full + 1);
      expect(delay).toBeGreaterThanOrEqual(0.8 * full - 1);
    }
    await call(hub, 'item.retry', { id });
  }
});

test('[RT3] what is not retryable is not retried by itself', async () => {
  const { id: p } = await newProject(hub);
  const { id } = await make(hub, p, { max_attempts: 5 });
  expect(await failOnce(id, { retryable: false })).toMatchObject({ status: 'failed', retry_at: null });
  const [event] = await eventsOf(hub, p, 'item.failed');
  expect(event!.data).toMatchObject({ retryable: false, retry_at: null, failure_count: 1 });
});

test('[RT4] until then it is not ready, and says when; then the hub puts it back by itself', async () => {
  const { id: p } = await newProject(hub);
  const watcher = await watch(hub, p);
  const { id } = await make(hub, p, { max_attempts: 2 });
  const item = await failOnce(id);
  // Enough failures that nothing falls due while the test looks.
  const slow = await make(hub, p, { max_attempts: 9 });
  for (let failures = 1; failures <= 5; failures++) {
    await failOnce(slow.id);
    if (failures < 5) await call(hub, 'item.retry', { id: slow.id });
  }
  const { retry_at } = await get(hub, slow.id);
  expect(await refusedIn(hub, p, () => agent().claim(slow.id))).toMatchObject({
    code: 'NOT_READY',
    details: { blocked_by: [], open_children: [], retry_at },
  });
  const { ready, reasons } = await call(hub, 'item.explain', { id: slow.id });
  expect([ready, reasons]).toMatchObject([false, [{ code: 'RETRY_PENDING', retry_at }]]);
  const told = await hearAbout(watcher, 'item.requeued', id);
  expect(told.data).toMatchObject({ reason: 'retry', status: 'todo', retry_at: null });
  expect(told.item).toMatchObject({
    status: 'todo',
    ready: true,
    attempt: 1,
    failure_count: 1,
    completed_at: null,
  });
  const [event] = await eventsOf(hub, p, 'item.requeued');
  expect(event!.actor).toBe('hub');
  expect(Date.parse(event!.at)).toBeGreaterThanOrEqual(Date.parse(item.retry_at!));
  // Its last attempt: now it stays failed.
  expect(await failOnce(id)).toMatchObject({
    status: 'failed',
    attempt: 2,
    failure_count: 2,
    retry_at: null,
  });
});

test('[RT5] an operator retries what failed or was cancelled, at once, and its counters stay', async () => {
  const { id: p } = await newProject(hub);
  const { id } = await make(hub, p, { max_attempts: 3 });
  const { claim } = await agent().claim(id);
  await agent().heartbeat(id, claim.attempt, { progress: 70, note: 'nearly' });
  expect((await agent().fail(id, 1)).item).toMatchObject({ progress: 70 });
  const { item } = await call(hub, 'item.retry', { id });
  expect(item).toMatchObject({ status: 'todo', ready: true, retry_at: null, completed_at: null });
  expect(item).toMatchObject({ failure_count: 1, attempt: 1, progress: null, progress_note: null });
  await call(hub, 'item.cancel', { id });
  expect((await call(hub, 'item.retry', { id })).item).toMatchObject({ status: 'todo', attempt: 1 });
  expect((await agent().claim(id)).claim.attempt).toBe(2);
});

test('[RT6] a retry under way is dropped by a cancel', async () => {
  const { id: p } = await newProject(hub);
  const { id } = await make(hub, p, { max_attempts: 3 });
  await failOnce(id);
  expect((await call(hub, 'item.cancel', { id })).item).toMatchObject({
    status: 'cancelled',
    retry_at: null,
  });
});

test('[RT7] releases and lost claims raise the attempt, but are no failures', async () => {
  const { id: p } = await newProject(hub);
  const watcher = await watch(hub, p);
  const { id } = await make(hub, p, { max_attempts: 2 });
  await agent().claim(id);
  await agent().release(id, 1);
  await agent().claim(id, { lease_seconds: 0.1 });
  const { item } = await hearAbout(watcher, 'item.requeued', id);
  expect(item).toMatchObject({ attempt: 2, failure_count: 0, lost_count: 1 });
  const failed = await failOnce(id);
  expect(failed).toMatchObject({ attempt: 3, failure_count: 1, lost_count: 0 });
  expect(failed.retry_at).not.toBeNull();
});

test('[RT8] a retry of what already waits or is under way is refused', async () => {
  const { id: p } = await newProject(hub);
  const { id } = await make(hub, p);
  for (const status of ['todo', 'claimed', 'done']) {
    expect(await refusedIn(hub, p, () => call(hub, 'item.retry', { id }))).toMatchObject({
      code: 'INVALID_TRANSITION',
      details: { status, command: 'item.retry' },
    });
    if (status === 'todo') await agent().claim(id);
    if (status === 'claimed') await agent().complete(id, 1);
  }
});
