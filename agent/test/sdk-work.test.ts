// What a worker does while all is well: claims, runs handlers, and tells the hub how they ended.
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { adminToken, call, connectAgent, newProject, startTestHub } from '../../server/test/setup/hub.ts';
import type { TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, getItem, newItem, newItems, violationsOf } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { connect } from '../client.ts';
import { DoNotRetry, type Handler, type WorkContext } from '../work/context.ts';
import type { WorkEvent } from '../work/options.ts';
import { agentOf, proxied, waiting, workOf } from './sdk.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

test('it does what is there and what comes, one at a time unless told otherwise', async () => {
  const project = await newProject(hub);
  const items = await newItems(hub, project, 3);
  let atOnce = 0;
  const worker = workOf(await agentOf(hub, project), async ({ item, attempt }) => {
    atOnce += 1;
    expect([atOnce, attempt]).toEqual([1, 1]);
    await new Promise((resolve) => setImmediate(resolve));
    atOnce -= 1;
    return `Did ${item.title}`;
  });
  await until('all are done', () => worker.stats.completed === 3);
  const more = await newItem(hub, project, { title: 'more' });
  await until('one more is done', () => worker.stats.completed === 4);
  await worker.close();
  expect(worker.stats).toMatchObject({ claimed: 4, completed: 4, failed: 0, running: 0 });
  expect((await getItem(hub, more.id)).result_summary).toBe('Did more');
  expect((await getItem(hub, items[2]!.id)).status).toBe('done');
  expect(await violationsOf(hub, project)).toEqual([]);
});

test('it holds as many items as its concurrency, and no more', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 9);
  const client = await agentOf(hub, project);
  const session = client.sessionId;
  const handler = waiting<void>();
  let [atOnce, most] = [0, 0];
  const worker = workOf(
    client,
    async () => {
      most = Math.max(most, (atOnce += 1));
      await handler.go;
      atOnce -= 1;
    },
    { concurrency: 3 },
  );
  await until('three are begun', () => worker.stats.running === 3);
  const { agents } = await call(hub, 'project.agents', { project: project.id });
  expect(agents).toMatchObject([{ agent_id: 'anna', session_id: session, capacity: 3 }]);
  handler.letGo();
  await until('all are done', () => worker.stats.completed === 9);
  expect(most).toBe(3);
  expect(client.sessionId).toBe(session);
});

test('a busy worker needs one command a cycle', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 4);
  const client = await agentOf(hub, project);
  const sent: string[] = [];
  const send = client.call.bind(client);
  client.call = (command, input, options) => {
    sent.push(command);
    return send(command, input, options);
  };
  const worker = workOf(client, async () => 'ok');
  await until('all are done', () => worker.stats.completed === 4);
  expect(sent.filter((command) => command === 'item.claim_next')).toHaveLength(1);
  expect(sent.filter((command) => command === 'item.complete')).toHaveLength(4);
});

test('it takes the types it is told, whatever the client took before', async () => {
  const project = await newProject(hub);
  await newItem(hub, project, { task_type: 'docs' });
  const bug = await newItem(hub, project, { task_type: 'bug' });
  const client = await agentOf(hub, project, { taskTypes: ['test'] });
  const worker = workOf(client, async () => 'ok', { taskTypes: ['bug'] });
  await until('the bug is done', async () => (await getItem(hub, bug.id)).status === 'done');
  await worker.close();
  expect(worker.stats.claimed).toBe(1);
});

test('whatever a handler returns or throws ends its item', async () => {
  const project = await newProject(hub);
  const titles = ['text', 'completion', 'nothing', 'error', 'no retry', 'no error', 'colour', 'cause'];
  for (const title of titles) await newItem(hub, project, { title, max_attempts: 2 });
  const events: WorkEvent[] = [];
  const handlers: Record<string, Handler> = {
    text: async () => 'three tables',
    completion: async () => ({ result_summary: 'one table', files_modified: ['sql/001.sql'] }),
    nothing: async () => {},
    error: async () => {
      throw new TypeError('no such table');
    },
    'no retry': async () => {
      throw new DoNotRetry('the schema is frozen');
    },
    'no error': async () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw { exit: 3 };
    },
    colour: async () => '\u001b[31mred\u001b[0m \u0007bell',
    cause: async () => {
      throw new Error('no schema', { cause: new Error('no disk') });
    },
  };
  const worker = workOf(await agentOf(hub, project), (context) => handlers[context.item.title]!(context), {
    onEvent: (event) => events.push(event),
  });
  await until('all have ended', () => worker.stats.completed + worker.stats.failed >= 8);
  await worker.close();
  const { items } = await call(hub, 'item.list', { project: project.id });
  const seen = items.map((item) => [item.title, item.status, item.result_summary ?? item.failure_reason]);
  expect(seen).toEqual([
    ['text', 'done', 'three tables'],
    ['completion', 'done', 'one table'],
    ['nothing', 'done', 'Done.'],
    ['error', 'failed', 'TypeError: no such table'],
    ['no retry', 'failed', 'the schema is frozen'],
    ['no error', 'failed', '{ exit: 3 }'],
    ['colour', 'done', 'red bell'],
    ['cause', 'failed', 'no schema\nbecause of: no disk'],
  ]);
  expect(items[1]!.files_modified).toEqual(['sql/001.sql']);
  expect(items.map((item) => item.retry_at !== null)).toEqual([0, 0, 0, 1, 0, 1, 0, 1].map(Boolean));
  const failed = events.find(({ type, item }) => type === 'failed' && item!.title === 'error');
  expect(failed).toMatchObject({
    attempt: 1,
    message: 'TypeError: no such table',
    error: new TypeError('no such table'),
  });
});

test('a result that the hub does not take fails the item, and says what it was', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project, { max_attempts: 3 });
  const worker = workOf(await agentOf(hub, project), async () => ({
    result_summary: 'did it all',
    files_modified: ['/etc/passwd'],
  }));
  await until('it failed', () => worker.stats.failed === 1);
  const { status, failure_reason, retry_at } = await getItem(hub, item.id);
  expect([status, retry_at]).toEqual(['failed', null]);
  expect(failure_reason).toContain('is absolute');
  expect(failure_reason).toContain('did it all');
});

test('progress is told at once, and then no more than once a second', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const handler = waiting<WorkContext>();
  const worker = workOf(await agentOf(hub, project), async (context) => {
    handler.enter(context);
    await handler.go;
  });
  const context = await handler.began;
  context.progress(1, 'begun');
  await until('it is told', async () => (await getItem(hub, item.id)).progress === 1);
  for (let percent = 2; percent <= 50; percent++) context.progress(percent);
  context.progress(120);
  expect(() => context.progress(Number.NaN)).toThrow(RangeError);
  await until('the last is told', async () => (await getItem(hub, item.id)).progress === 100);
  expect((await getItem(hub, item.id)).progress_note).toBe('begun');
  expect(await eventsOf(hub, item, 'item.progressed')).toHaveLength(2);
  handler.letGo();
  await until('it is done', () => worker.stats.completed === 1);
});

test('[CF3] [CF4] a handler hears its conflicts, and reads them as they stand', async () => {
  const project = await newProject(hub);
  const mine = await newItem(hub, project, { files_planned: ['src/a.ts'] });
  const handler = waiting<WorkContext>();
  workOf(await agentOf(hub, project), async (context) => {
    handler.enter(context);
    await handler.go;
  });
  const context = await handler.began;
  const heard: string[][] = [];
  context.onConflict((conflicts) => heard.push(conflicts.map((one) => one.conflicting_files.join())));
  expect(context.conflicts).toEqual([]);
  const other = await connectAgent(hub, project.name, 'ben');
  const theirs = await newItem(hub, project, { files_planned: ['src/a.ts', 'src/b.ts'] });
  await other.call('item.claim', { id: theirs.id });
  await until('it is heard', () => heard.length === 1);
  expect(context.conflicts).toMatchObject([{ work_item_id: theirs.id, agent_id: 'ben', kind: 'planned' }]);
  const answered = await context.reportFiles(['src/b.ts']);
  expect(answered).toMatchObject([{ conflicting_files: ['src/a.ts', 'src/b.ts'], kind: 'modified' }]);
  expect(context.conflicts).toEqual(answered);
  let late: unknown;
  context.onConflict((conflicts) => (late = conflicts));
  expect(late).toEqual(answered);
  await other.call('item.release', { id: theirs.id, attempt: 1 });
  await until('it is over', () => context.conflicts.length === 0);
  expect(heard).toEqual([['src/a.ts'], ['src/a.ts,src/b.ts'], []]);
  handler.letGo();
  await until('it is done', async () => (await getItem(hub, mine.id)).status === 'done');
});

test('[CF3] conflicts that there are when the work begins come with it', async () => {
  const project = await newProject(hub);
  const other = await connectAgent(hub, project.name, 'ben');
  const theirs = await newItem(hub, project, { files_planned: ['src/'] });
  await other.call('item.claim', { id: theirs.id });
  await newItem(hub, project, { files_planned: ['src/a.ts'] });
  const worker = workOf(
    await agentOf(hub, project),
    async ({ conflicts }) => `${conflicts[0]!.agent_id} is there`,
  );
  await until('it is done', () => worker.stats.completed === 1);
});

test('[CF3] conflicts that began, or ended, without a connection are known after the reconnect', async () => {
  const project = await newProject(hub);
  const other = await connectAgent(hub, project.name, 'ben', { capacity: 2 });
  const [early, late] = [
    await newItem(hub, project, { files_planned: ['a.ts'] }),
    await newItem(hub, project, { files_planned: ['b.ts'] }),
  ];
  await other.call('item.claim', { id: early.id });
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project);
  const mine = await newItem(hub, project, { files_planned: ['a.ts', 'b.ts'], priority: 0 });
  const handler = waiting<WorkContext>();
  workOf(client, async (context) => {
    handler.enter(context);
    await handler.go;
  });
  const context = await handler.began;
  const others = () => context.conflicts.map((one) => one.work_item_id);
  expect([context.item.id, others()]).toEqual([mine.id, [early.id]]);
  proxy.down();
  await other.call('item.release', { id: early.id, attempt: 1 });
  await other.call('item.claim', { id: late.id });
  proxy.up();
  await until('it is known', () => others().join() === late.id);
  handler.letGo();
});

test('[PR1] [PR5] a split item is offered again when its children are done', async () => {
  const project = await newProject(hub);
  const parent = await newItem(hub, project, { title: 'large', priority: 0 });
  const order: string[] = [];
  const worker = workOf(await agentOf(hub, project), async ({ item, attempt, split }) => {
    order.push(`${item.title} ${attempt}`);
    if (item.id !== parent.id || attempt > 1) return;
    const children = await split([
      { ref: 'a', title: 'first' },
      { title: 'second', dependencies: ['a'] },
    ]);
    const { ready, status } = await getItem(hub, parent.id);
    expect([ready, status]).toEqual([false, 'claimed']);
    return children;
  });
  await until('all are done', () => worker.stats.completed === 3);
  expect(order).toEqual(['large 1', 'first 1', 'second 1', 'large 2']);
  expect(worker.stats).toMatchObject({ claimed: 4, released: 1, failed: 0 });
  const [released] = await eventsOf(hub, parent, 'item.released');
  expect(released!.data.reason).toBe('Split into #2, #3.');
  const { items } = await call(hub, 'item.list', { project: project.id, parent: parent.id });
  expect(items.map(({ status }) => status)).toEqual(['done', 'done']);
  expect(await violationsOf(hub, project)).toEqual([]);
});

test('[PR1] the parent is not ready while a child is open', async () => {
  const project = await newProject(hub);
  const parent = await newItem(hub, project, { task_type: 'feature' });
  const client = await agentOf(hub, project);
  const handler: Handler = async ({ split }) => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- as good as returning it
    throw await split([{ title: 'child', task_type: 'test' }], 'too large');
  };
  const worker = workOf(client, handler, { taskTypes: ['feature'] });
  await until('it is given back', () => worker.stats.released === 1);
  const { reasons, ready } = await call(hub, 'item.explain', { id: parent.id });
  expect([ready, worker.stats.claimed]).toEqual([false, 1]);
  expect(reasons.map(({ code }) => code)).toEqual(['CHILD_OPEN']);
});

test('a client works once at a time, and only as an agent', async () => {
  const project = await newProject(hub);
  const client = await agentOf(hub, project);
  const worker = workOf(client, async () => 'ok');
  expect(() => client.work(async () => 'ok')).toThrow('works already');
  await worker.close();
  await newItem(hub, project);
  const again = workOf(client, async () => 'ok');
  await until('it is done', () => again.stats.completed === 1);
  expect(() => client.work(async () => 'ok', { concurrency: 0 })).toThrow();
  const watcher = await connect({ url: hub.url, token: adminToken, project: null });
  onTestFinished(() => watcher.close());
  expect(() => watcher.work(async () => 'ok')).toThrow('connect with project');
});

test('what listens may throw: the work goes on', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 2);
  const warned: string[] = [];
  const hear = (warning: Error) => void warned.push(warning.message);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  const worker = workOf(await agentOf(hub, project), async () => 'ok', {
    onEvent: () => {
      throw new Error('a log that is full');
    },
  });
  await until('both are done', () => worker.stats.completed === 2);
  expect(warned).toContain('onEvent threw.');
});
