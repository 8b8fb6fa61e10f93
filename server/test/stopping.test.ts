// Cancelling what somebody works on: it counts at once, and the holder is told until it confirms.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ClaimRef } from '@switchyard/shared/agent';
import { call, connectAgent, newProject, refusal, startTestHub, Client, type TestHub } from './setup/hub.ts';
import { until } from './setup/until.ts';
import { complete, eventsOf, getItem, newItem, newItems, violationsOf } from './setup/steps.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 0.5 } });
});
afterAll(() => hub.stop());

/** Confirms every cancel from now on. */
const confirm = (agent: Client) =>
  agent.socket.on('claim.cancelled', (_: ClaimRef, ack: () => void) => ack());

const stopped = (item: { id: string }) =>
  until('the stop is taken down', async () => (await getItem(hub, item.id)).stopping === false);

test('[SP1] the holder is told, `stopping` is true until it confirms, and the log tells both', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const agent = await connectAgent(hub, project.name, 'a');
  await agent.call('item.claim', { id: item.id });
  let ack = () => {};
  agent.socket.once('claim.cancelled', (_: ClaimRef, answer: () => void) => (ack = answer));
  const { item: cancelled } = await call(hub, 'item.cancel', { id: item.id, reason: 'not wanted' });
  expect(cancelled).toMatchObject({ status: 'cancelled', stopping: true, lease_expires_at: null });
  expect(await agent.hear('claim.cancelled')).toEqual({ item_id: item.id, attempt: 1, reason: 'not wanted' });
  expect(await eventsOf(hub, item, 'item.cancel_acknowledged')).toEqual([]);
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'cancelled', stopping: true });
  ack();
  await stopped(item);
  const [told] = await eventsOf(hub, item, 'item.cancel_acknowledged');
  expect(told).toMatchObject({ actor: 'a', attempt: 1, data: { stopping: false } });
  expect(await violationsOf(hub, project)).toEqual([]);
});

test('[SP2] the holder is told again after every reconnect until it confirms, and then no more', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const session_id = randomUUID();
  const first = await connectAgent(hub, project.name, 'a', { session_id });
  await first.call('item.claim', { id: item.id });
  await call(hub, 'item.cancel', { id: item.id });
  const told: ClaimRef = { item_id: item.id, attempt: 1, reason: 'cancelled' };
  expect(await first.hear('claim.cancelled')).toEqual(told);
  first.close();
  const second = await connectAgent(hub, project.name, 'a', { session_id });
  expect(second.ready!.claims).toEqual([]);
  expect(await second.hear('claim.cancelled')).toEqual(told);
  second.close();
  const third = new Client(hub, { project: project.name, agent_id: 'a', session_id });
  onTestFinished(() => third.close());
  confirm(third);
  await stopped(item);
  const last = await connectAgent(hub, project.name, 'a', { session_id });
  await last.call('agent.heartbeat', { claims: [] });
  expect(last.all('claim.cancelled')).toEqual([]);
  expect(await eventsOf(hub, item, 'item.cancel_acknowledged')).toHaveLength(1);
});

test('[SP3] what the holder sends afterwards is refused, and ending the claim confirms that it stopped', async () => {
  const project = await newProject(hub);
  const [one, two] = await newItems(hub, project, 2);
  const agent = await connectAgent(hub, project.name, 'a', { capacity: 2 });
  for (const item of [one, two]) {
    await agent.call('item.claim', { id: item!.id });
    await call(hub, 'item.cancel', { id: item!.id });
  }
  const lost = { code: 'CLAIM_LOST', details: { status: 'cancelled', reason: 'cancelled' } };
  const report = agent.call('item.report_files', { id: one!.id, attempt: 1, files: ['a.ts'] });
  expect(await refusal(report)).toMatchObject(lost);
  expect(await getItem(hub, one!.id)).toMatchObject({ stopping: true, files_modified: [] });
  expect(await refusal(complete(agent, one!))).toMatchObject(lost);
  await stopped(one!);
  expect(await refusal(agent.call('item.release', { id: two!.id, attempt: 1 }))).toMatchObject(lost);
  await stopped(two!);
  expect(await getItem(hub, one!.id)).toMatchObject({ status: 'cancelled', result_summary: null });
});

test('[SP4] of a cancel and a completion that race, one wins and both are told the truth', async () => {
  const project = await newProject(hub);
  const agent = await connectAgent(hub, project.name, 'a', { capacity: 50 });
  confirm(agent);
  const items = await newItems(hub, project, 40);
  for (const item of items) await agent.call('item.claim', { id: item.id });
  const operator = await connectAgent(hub, project.name, 'operator');
  const outcomes = await Promise.all(
    items.map(async (item, n) => {
      const commands = [
        () =>
          complete(agent, item).then(
            () => 'done',
            (error: { code: string }) => error.code,
          ),
        () =>
          operator.call('item.cancel', { id: item.id }).then(
            () => 'cancelled',
            (error: { code: string }) => error.code,
          ),
      ];
      const [a, b] = n % 2 ? commands : [...commands].reverse();
      return { item, said: (await Promise.all([a!(), b!()])).sort().join(' ') };
    }),
  );
  for (const { item, said } of outcomes) {
    const { status } = await getItem(hub, item.id);
    expect([status, said]).toEqual([
      status,
      status === 'done' ? 'INVALID_TRANSITION done' : 'CLAIM_LOST cancelled',
    ]);
  }
  expect(await violationsOf(hub, project)).toEqual([]);
});

test('[SP5] a holder that never comes back has stopped too, once its session is over', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const agent = await connectAgent(hub, project.name, 'a');
  await agent.call('item.claim', { id: item.id });
  await call(hub, 'item.cancel', { id: item.id });
  agent.close();
  await stopped(item);
  expect(await eventsOf(hub, item, 'item.cancel_acknowledged')).toMatchObject([
    { actor: 'hub', data: { stopping: false, reason: 'lease_expired' } },
  ]);
});

test('[SP6] a cancelled item that is retried can be claimed anew; the old holder’s confirmation changes nothing', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const agent = await connectAgent(hub, project.name, 'a');
  let ack = () => {};
  agent.socket.once('claim.cancelled', (_: ClaimRef, answer: () => void) => (ack = answer));
  await agent.call('item.claim', { id: item.id });
  await call(hub, 'item.cancel', { id: item.id });
  await agent.hear('claim.cancelled');
  await call(hub, 'item.retry', { id: item.id });
  const { claim } = await call(hub, 'item.claim', { id: item.id, agent_id: 'heir' });
  expect(claim.attempt).toBe(2);
  ack();
  expect(await refusal(complete(agent, item, 1))).toMatchObject({
    code: 'CLAIM_LOST',
    details: { attempt: 2, holder: 'heir', reason: 'cancelled' },
  });
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'claimed', attempt: 2, stopping: false });
});

test('[SP7] what nobody holds is cancelled without a word to anybody', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const agent = await connectAgent(hub, project.name, 'a');
  await agent.call('item.claim', { id: item.id });
  await agent.call('item.release', { id: item.id, attempt: 1 });
  const { item: cancelled } = await call(hub, 'item.cancel', { id: item.id });
  expect(cancelled).toMatchObject({ status: 'cancelled', stopping: false });
  await agent.call('agent.heartbeat', { claims: [] });
  expect(agent.all('claim.cancelled')).toEqual([]);
});
