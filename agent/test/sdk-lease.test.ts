// An agent whom no hub answers: its lease may be over, and it knows so by its own clock.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { startChildHub } from '../../server/test/setup/child-hub.ts';
import { eventsOf, getItem, newItem, violationsOf } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import type { WorkContext } from '../work/context.ts';
import type { LostOutcome } from '../work/options.ts';
import { agentOf, proxied, stopOf, waiting, workOf } from './sdk.ts';

const leaseSeconds = 1.5;

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { leaseSeconds, heartbeatSeconds: 0.2, graceSeconds: 0.3 } });
});
afterAll(() => hub.stop());

test('it stops before the hub gives the item to another', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const proxy = await proxied(hub);
  const handler = waiting<WorkContext>();
  workOf(await agentOf(proxy, project), async (context) => {
    handler.enter(context);
    throw await stopOf(context);
  });
  const context = await handler.began;
  // Nobody is told that the connection is dead: the lease runs its full length.
  proxy.loseRequests();
  proxy.loseAnswers();
  const from = performance.now();
  expect(await stopOf(context)).toMatchObject({ why: 'lost' });
  const stoppedAt = Date.now();
  expect(performance.now() - from).toBeGreaterThan(leaseSeconds * 500);
  const requeued = await until('it is put back', async () => (await eventsOf(hub, item, 'item.requeued'))[0]);
  expect(Date.parse(requeued.at)).toBeGreaterThan(stoppedAt);
});

test('[LE2] what a zombie brings is reported as lost, and harms nobody', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const proxy = await proxied(hub);
  const handler = waiting<WorkContext>();
  const lost: LostOutcome[] = [];
  const handle = async (context: WorkContext) => {
    handler.enter(context);
    await handler.go;
    return 'by a zombie';
  };
  const worker = workOf(await agentOf(proxy, project), handle, { onLost: (one) => lost.push(one) });
  const context = await handler.began;
  proxy.down();
  expect(await stopOf(context)).toMatchObject({ why: 'lost' });
  await until('it is put back', async () => (await getItem(hub, item.id)).status === 'todo');
  const other = await agentOf(hub, project, { agentId: 'ben' }); // its claims are kept alive, however long this takes
  await other.call('item.claim', { id: item.id });
  handler.letGo();
  await handler.go;
  proxy.up();
  await until('it is reported', () => lost.length === 1);
  expect(lost).toMatchObject([{ attempt: 1, outcome: { result_summary: 'by a zombie' } }]);
  expect(await getItem(hub, item.id)).toMatchObject({
    status: 'claimed',
    attempt: 2,
    assigned_agent_id: 'ben',
  });
  await other.call('item.complete', { id: item.id, attempt: 2, result_summary: 'by its holder' });
  expect(worker.stats).toMatchObject({ completed: 0, lost: 1 });
  expect(await violationsOf(hub, project)).toEqual([]);
});

test('an answer that comes after its claim has lapsed begins nothing', async () => {
  const project = await newProject(hub);
  const [first, second] = [await newItem(hub, project), await newItem(hub, project)];
  const proxy = await proxied(hub);
  const handler = waiting<WorkContext>();
  const runs: number[] = [];
  const worker = workOf(await agentOf(proxy, project), async (context) => {
    runs.push(context.item.number);
    handler.enter(context);
    await handler.go;
  });
  await handler.began;
  proxy.loseAnswers();
  handler.letGo();
  await until('the next is claimed', async () => (await getItem(hub, second.id)).status === 'claimed');
  proxy.down();
  await until('it is put back', async () => (await getItem(hub, second.id)).status === 'todo');
  const other = await agentOf(hub, project, { agentId: 'ben' }); // its claims are kept alive, however long this takes
  await other.call('item.claim', { id: second.id });
  proxy.up();
  await until('the answer has come', () => worker.stats.completed === 1);
  const third = await newItem(hub, project);
  await until('the one after is done', async () => (await getItem(hub, third.id)).status === 'done');
  expect(runs).toEqual([first.number, third.number]);
  expect(await getItem(hub, second.id)).toMatchObject({ assigned_agent_id: 'ben', attempt: 2 });
});

test('a claim that turns out to have been kept takes the result; without one it is given back', async () => {
  const slow = await startChildHub({ timing: { lease: 1, heartbeat: 0.2, grace: 5 } });
  const project = await newProject(slow);
  const [first, second] = [await newItem(slow, project), await newItem(slow, project)];
  const began = waiting<void>();
  let count = 0;
  const worker = workOf(
    await agentOf(slow, project),
    async (context) => {
      if ((count += 1) === 2) began.enter();
      const stopped = await stopOf(context);
      if (context.item.id === first.id) return `done all the same: ${stopped.why}`;
      throw stopped;
    },
    { concurrency: 2 },
  );
  await began.began;
  // It stalls past every lease; and then it puts nothing back before agents had a grace to be heard.
  slow.process.kill('SIGSTOP');
  const stalled = performance.now();
  await until('the agent has stopped', () => performance.now() - stalled > 1_200);
  slow.process.kill('SIGCONT');
  await until('the hub has heard', () => worker.stats.completed === 1 && worker.stats.released >= 1);
  expect(await getItem(slow, first.id)).toMatchObject({
    result_summary: 'done all the same: lost',
    attempt: 1,
  });
  expect(await eventsOf(slow, second, 'item.requeued')).toEqual([]);
  expect((await eventsOf(slow, second, 'item.released'))[0]).toMatchObject({ attempt: 1, actor: 'anna' });
});

test('claims by hand are told of too', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project, { token: adminToken });
  await client.call('item.claim', { id: item.id });
  const lost = new Promise((resolve) => client.on('claim.lost', resolve));
  proxy.down();
  expect(await lost).toEqual({ item_id: item.id, attempt: 1, reason: 'unreachable' });
});
