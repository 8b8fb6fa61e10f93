// How work ends before its time: cancelled, lost, or because the worker closes.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { adminToken, call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, getItem, newItem, newItems, violationsOf } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { connect } from '../client.ts';
import type { WorkContext } from '../work/context.ts';
import type { LostOutcome } from '../work/options.ts';
import { agentOf, proxied, stopOf, waiting, workOf } from './sdk.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { heartbeatSeconds: 0.2 } });
});
afterAll(() => hub.stop());

const cancel = (id: string, on = hub) => call(on, 'item.cancel', { id, reason: 'not wanted' });
const acknowledged = async (item: { id: string }) =>
  (await eventsOf(hub, item, 'item.cancel_acknowledged')).length;

/** A project with one item, and a handler for it that does not return before it is told to. */
async function oneItem() {
  const project = await newProject(hub);
  return { project, item: await newItem(hub, project), handler: waiting<WorkContext>() };
}

test('[SP1] a cancelled item is stopping until its handler has returned', async () => {
  const { project, item, handler } = await oneItem();
  const client = await agentOf(hub, project);
  const worker = workOf(client, async (context) => {
    handler.enter(context);
    await handler.go;
    context.signal.throwIfAborted();
  });
  const context = await handler.began;
  await cancel(item.id);
  expect(await stopOf(context)).toMatchObject({
    name: 'Stopped',
    why: 'cancelled',
    message: '#1 was cancelled: not wanted',
  });
  // On the same connection: a confirmation that came too early would have come before.
  await client.call('project.get', { project: project.id });
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'cancelled', stopping: true });
  await expect(context.reportFiles(['a.ts'])).rejects.toMatchObject({ why: 'cancelled' });
  handler.letGo();
  await until('it has stopped', async () => !(await getItem(hub, item.id)).stopping);
  expect(worker.stats).toMatchObject({ cancelled: 1, failed: 0, lost: 0 });
  await newItem(hub, project);
  await until('the next is claimed', () => worker.stats.claimed === 2);
  expect(await acknowledged(item)).toBe(1);
  expect(await eventsOf(hub, item, 'item.failed')).toEqual([]);
});

test('[SP2] a cancel that is told again after a reconnect waits for the handler too', async () => {
  const { project, item, handler } = await oneItem();
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project);
  workOf(client, async (context) => {
    handler.enter(context);
    await handler.go;
  });
  const context = await handler.began;
  let told = 0;
  client.on('claim.cancelled', () => (told += 1));
  await cancel(item.id);
  await stopOf(context);
  proxy.cut();
  await until('it is told again', () => told === 2);
  expect(await getItem(hub, item.id)).toMatchObject({ stopping: true });
  handler.letGo();
  await until('it has stopped', async () => !(await getItem(hub, item.id)).stopping);
  expect(await acknowledged(item)).toBe(1);
});

test('[SP2] one that was heard, and obeyed, without a connection is confirmed after the reconnect', async () => {
  const { project, item, handler } = await oneItem();
  const proxy = await proxied(hub);
  const worker = workOf(await agentOf(proxy, project), async (context) => {
    handler.enter(context);
    await handler.go;
  });
  await handler.began.then(() => cancel(item.id));
  await handler.began.then(stopOf);
  proxy.down();
  handler.letGo();
  await until('it is over', () => worker.stats.cancelled === 1);
  expect(await getItem(hub, item.id)).toMatchObject({ stopping: true });
  proxy.up();
  await until('it has stopped', async () => !(await getItem(hub, item.id)).stopping);
});

test('[SP2] one that comes before the work began keeps it from beginning', async () => {
  const { project, item } = await oneItem();
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project);
  proxy.loseAnswers();
  let runs = 0;
  const worker = workOf(client, async () => void (runs += 1));
  await until('it is claimed', async () => (await getItem(hub, item.id)).status === 'claimed');
  await cancel(item.id);
  proxy.cut();
  await until('it has stopped', async () => !(await getItem(hub, item.id)).stopping);
  await newItem(hub, project);
  await until('the next is done', () => worker.stats.completed === 1);
  expect([runs, await acknowledged(item)]).toEqual([1, 1]);
});

test('[SP2] one that was missed is heard as a cancel after the reconnect, and not as a loss', async () => {
  const { project, item, handler } = await oneItem();
  const proxy = await proxied(hub);
  workOf(await agentOf(proxy, project), async (context) => {
    handler.enter(context);
    throw await stopOf(context);
  });
  const context = await handler.began;
  proxy.down();
  await cancel(item.id);
  proxy.up();
  expect(await stopOf(context)).toMatchObject({ why: 'cancelled' });
  await until('it has stopped', async () => !(await getItem(hub, item.id)).stopping);
});

test('[HB5] what is confirmed to another hub is that item, and no other', async () => {
  // Both count what they are to be answered from 0 on.
  const one = await startTestHub();
  const other = await startTestHub({ database: one.database });
  onTestFinished(async () => {
    await Promise.all([one.stop(), other.stop()]);
  });
  const project = await newProject(one);
  const [first, second] = await newItems(one, project, 2);
  const proxy = await proxied(one);
  const client = await agentOf(proxy, project);
  const contexts = new Map<string, WorkContext>();
  const [firstGo, secondGo] = [waiting(), waiting()];
  const handle = async (context: WorkContext) => {
    contexts.set(context.item.id, context);
    await (context.item.id === first!.id ? firstGo : secondGo).go;
  };
  workOf(client, handle, { concurrency: 2 });
  await until('both are begun', () => contexts.size === 2);
  await cancel(second!.id, one);
  await stopOf(contexts.get(second!.id)!);
  proxy.down();
  await cancel(first!.id, one);
  proxy.leadTo(other.url);
  proxy.up();
  await stopOf(contexts.get(first!.id)!);
  secondGo.letGo();
  await until('the second has stopped', async () => !(await getItem(one, second!.id)).stopping);
  await client.call('project.get', { project: project.id });
  expect(await getItem(one, first!.id)).toMatchObject({ stopping: true });
  firstGo.letGo();
  await until('the first has stopped', async () => !(await getItem(one, first!.id)).stopping);
});

test('[SP3] a result that comes after a cancel is reported as lost', async () => {
  const { project, item, handler } = await oneItem();
  const lost: LostOutcome[] = [];
  const handle = async (context: WorkContext) => {
    handler.enter(context);
    await stopOf(context);
    return 'did it all the same';
  };
  workOf(await agentOf(hub, project), handle, { onLost: (one) => lost.push(one) });
  await handler.began.then(() => cancel(item.id));
  await until('it is reported', () => lost.length === 1);
  expect(lost).toMatchObject([
    {
      item: { id: item.id },
      attempt: 1,
      outcome: { kind: 'complete', result_summary: 'did it all the same' },
      reason: '#1 was cancelled: not wanted',
    },
  ]);
});

test('[LE7] a claim that was ended behind its back is lost, and its handler stops', async () => {
  const { project, item, handler } = await oneItem();
  const worker = workOf(await agentOf(hub, project), async (context) => {
    handler.enter(context);
    if (context.attempt === 1) throw await stopOf(context);
    return 'second time';
  });
  const context = await handler.began;
  await call(hub, 'item.release', { id: item.id, attempt: 1, agent_id: 'anna' });
  expect(await stopOf(context)).toMatchObject({ why: 'lost' });
  await until('it is done', () => worker.stats.completed === 1);
  expect(worker.stats).toMatchObject({ claimed: 2, lost: 1, failed: 0 });
  expect(await violationsOf(hub, project)).toEqual([]);
});

test('closing lets handlers finish, and takes nothing more', async () => {
  const project = await newProject(hub);
  const items = await newItems(hub, project, 3);
  const handler = waiting<WorkContext>();
  const client = await agentOf(hub, project);
  const worker = workOf(client, async (context) => {
    handler.enter(context);
    await handler.go;
    return context.signal.aborted ? 'in haste' : 'in peace';
  });
  await handler.began;
  const closed = client.close();
  handler.letGo();
  await closed;
  expect(worker.stats).toMatchObject({ claimed: 1, completed: 1, running: 0 });
  expect((await getItem(hub, items[0]!.id)).result_summary).toBe('in peace');
  expect(await getItem(hub, items[1]!.id)).toMatchObject({ status: 'todo', attempt: 0 });
});

test('closing aborts what takes too long: a result counts, and what has none is given back', async () => {
  const project = await newProject(hub);
  const items = await newItems(hub, project, 3);
  const handle = async (context: WorkContext) => {
    const stopped = await stopOf(context);
    await context.reportFiles([`src/${context.item.number}.ts`]);
    if (context.item.number === 1) return `stopped by ${stopped.why}`;
    if (context.item.number === 2) throw stopped;
  };
  const worker = workOf(await agentOf(hub, project), handle, { concurrency: 3, stopMs: 5_000 });
  await until('all are begun', () => worker.stats.running === 3);
  await worker.close({ drainMs: 20 });
  expect(worker.stats).toMatchObject({ completed: 1, released: 2, failed: 0, running: 0 });
  const [done, thrown, returned] = await Promise.all(items.map(({ id }) => getItem(hub, id)));
  expect(done).toMatchObject({ status: 'done', result_summary: 'stopped by shutdown' });
  for (const item of [thrown, returned]) expect(item).toMatchObject({ status: 'todo', failure_count: 0 });
  expect((await eventsOf(hub, thrown!, 'item.released'))[0]!.data.reason).toBe('The worker is closing.');
});

test('a handler that ignores its signal does not keep it from closing', async () => {
  const { project, item, handler } = await oneItem();
  const lost: LostOutcome[] = [];
  const handle = async (context: WorkContext) => {
    handler.enter(context);
    await handler.go;
    return 'at last';
  };
  const client = await agentOf(hub, project);
  const worker = workOf(client, handle, { drainMs: 20, stopMs: 20, onLost: (one) => lost.push(one) });
  await handler.began;
  await client.close();
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'todo', assigned_agent_id: 'anna' });
  expect(worker.stats.released).toBe(1);
  handler.letGo();
  await until('its result is reported as lost', () => lost.length === 1);
});

test('closing again with less time hurries', async () => {
  const { project, handler } = await oneItem();
  const worker = workOf(await agentOf(hub, project), async (context) => {
    handler.enter(context);
    throw await stopOf(context);
  });
  await handler.began;
  const closed = worker.close({ drainMs: Infinity });
  await worker.close({ drainMs: 0 });
  await closed;
  expect(worker.stats.released).toBe(1);
});

test('a claim that is answered while it closes is given back', async () => {
  const { project, item } = await oneItem();
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project);
  proxy.loseAnswers();
  const worker = workOf(client, async () => 'ok');
  await until('it is claimed', async () => (await getItem(hub, item.id)).status === 'claimed');
  const closed = worker.close();
  proxy.cut();
  await closed;
  expect(await getItem(hub, item.id)).toMatchObject({ status: 'todo', attempt: 1 });
  expect(worker.stats).toMatchObject({ completed: 0, released: 1 });
});

test('it closes although no hub is there, and says what could not be told', async () => {
  const { project, handler } = await oneItem();
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project);
  const lost: LostOutcome[] = [];
  const worker = workOf(
    client,
    async (context) => {
      handler.enter(context);
      await handler.go;
      return 'ok';
    },
    { drainMs: 20, stopMs: 20, onLost: (one) => lost.push(one) },
  );
  await handler.began;
  proxy.down();
  handler.letGo();
  await client.close();
  expect(lost).toMatchObject([{ attempt: 1, outcome: { result_summary: 'ok' } }]);
  expect(worker.stats).toMatchObject({ lost: 1, completed: 0 });
});

test('[TK4] refused for good, it stops its handlers and says why', async () => {
  const { project, handler } = await oneItem();
  const { token } = await call(hub, 'token.create', { role: 'agent', project: project.id, label: 'short' });
  const lost: LostOutcome[] = [];
  const worker = workOf(
    await agentOf(hub, project, { token: token.token }),
    async (context) => {
      handler.enter(context);
      return `stopped: ${(await stopOf(context)).why}`;
    },
    { onLost: (one) => lost.push(one) },
  );
  await handler.began;
  await call(hub, 'token.revoke', { id: token.id });
  await expect(worker.closed).rejects.toMatchObject({ name: 'Refusal', code: 'UNAUTHENTICATED' });
  expect(lost).toMatchObject([{ outcome: { result_summary: 'stopped: lost' } }]);
});

test('a session that is taken up again works on what it held', async () => {
  const { project, item } = await oneItem();
  const first = await agentOf(hub, project);
  await first.call('item.claim', { id: item.id });
  await first.close();
  const second = await agentOf(hub, project, { sessionId: first.sessionId });
  const worker = workOf(second, async ({ attempt }) => `attempt ${attempt}`);
  await until('it is done', () => worker.stats.completed === 1);
  expect((await getItem(hub, item.id)).result_summary).toBe('attempt 1');
});

test('what goes out of scope is closed', async () => {
  const { project, item } = await oneItem();
  {
    await using client = await connect({
      url: hub.url,
      token: adminToken,
      project: project.name,
      agentId: 'anna',
    });
    const begun = Promise.withResolvers<void>();
    client.work(async () => {
      begun.resolve();
      await sleep(20);
    });
    await begun.promise;
  }
  expect((await getItem(hub, item.id)).status).toBe('done');
});
