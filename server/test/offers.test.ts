// Who hears `item.available`, and when.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { call, connectAgent, newProject, startTestHub, type Client, type TestHub } from './setup/hub.ts';
import { until } from './setup/until.ts';
import { complete, newItem, newItems } from './setup/steps.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const offered = (agent: Client) => agent.all<{ item: Item }>('item.available').map(({ item }) => item.id);
const hears = (agent: Client, item: Item) =>
  agent.hear<{ item: Item }>('item.available', (offer) => offer.item.id === item.id);
const forget = (agent: Client) => void agent.heard.splice(0);

test('[OF2] an offer carries the item as it stands, ready, and whoever connects hears of what waits', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project, { title: 'early', priority: 2 });
  const agent = await connectAgent(hub, project.name, 'late');
  const { item: offer } = await hears(agent, item);
  expect(offer).toEqual(item);
  expect(offer.ready).toBe(true);
});

test('[LE9] session.ready comes first, though items become ready, and claims end, while agents connect', async () => {
  const project = await newProject(hub);
  const agents = Array.from({ length: 20 }, (_, n) => ({ agentId: `a${n}`, session_id: randomUUID() }));
  const join = ({ agentId, session_id }: (typeof agents)[number]) =>
    connectAgent(hub, project.name, agentId, { session_id, capacity: 50 });
  for (let round = 1; round <= 3; round++) {
    const items = await newItems(hub, project, agents.length);
    const before = await Promise.all(agents.map(join));
    await Promise.all(before.map((agent, n) => agent.call('item.claim', { id: items[n]!.id })));
    const [after] = await Promise.all([
      Promise.all(agents.map(join)),
      ...items.map(({ id }) => call(hub, 'item.cancel', { id })),
      ...items.map(() => newItem(hub, project)),
    ]);
    for (const agent of [...before, ...after]) expect(agent.heard[0]!.event).toBe('session.ready');
    // Told before or after the connect, each hears that its claim is over.
    await Promise.all(
      after.map((agent, n) =>
        agent.hear<{ item_id: string }>('claim.cancelled', ({ item_id }) => item_id === items[n]!.id),
      ),
    );
    for (const agent of after) agent.close();
  }
});

test('[OF3] only agents of the project with a matching task_type hear of it; an item without one suits who takes all', async () => {
  const [project, other] = [await newProject(hub), await newProject(hub)];
  const [all, tester, writer, stranger] = await Promise.all([
    connectAgent(hub, project.name, 'all'),
    connectAgent(hub, project.name, 'tester', { task_types: ['test'] }),
    connectAgent(hub, project.name, 'writer', { task_types: ['docs', 'spelling'] }),
    connectAgent(hub, other.name, 'stranger'),
  ]);
  const [docs] = await newItems(hub, project, 1, { task_type: 'docs' });
  await hears(writer, docs!);
  const [plain] = await newItems(hub, project, 1);
  await hears(all, plain!);
  const last = await newItem(hub, project, { task_type: 'test' });
  await hears(tester, last);
  expect(new Set(offered(writer))).toEqual(new Set([docs!.id]));
  expect(new Set(offered(tester))).toEqual(new Set([last.id]));
  expect(offered(stranger)).toEqual([]);
});

test('[OF4] at most a handful of agents hear of one item, others in their turn while nobody claims it', async () => {
  const project = await newProject(hub);
  const agents = await Promise.all(
    Array.from({ length: 12 }, (_, n) => connectAgent(hub, project.name, `a${n}`)),
  );
  const item = await newItem(hub, project);
  const told = () => agents.filter((agent) => offered(agent).length > 0);
  await Promise.any(agents.map((agent) => hears(agent, item)));
  // One answer later, whatever belonged to this round has arrived.
  await Promise.all(agents.map((agent) => agent.call('agent.heartbeat', { claims: [] })));
  expect(told().length).toBeLessThanOrEqual(3);
  await until('all were offered it', () => told().length === agents.length);
});

test('[OF5] an agent without room hears nothing; once it comes free it hears at once', async () => {
  const project = await newProject(hub);
  const [first] = await newItems(hub, project, 1);
  const agent = await connectAgent(hub, project.name, 'busy');
  await hears(agent, first!);
  await agent.call('item.claim', { id: first!.id });
  forget(agent);
  const second = await newItem(hub, project);
  const idle = await connectAgent(hub, project.name, 'idle');
  await hears(idle, second);
  expect(offered(agent)).toEqual([]);
  await complete(agent, first!);
  await hears(agent, second);
});

test('[OF6] an agent that was offered an item, took another and finished it, is offered the first again', async () => {
  const project = await newProject(hub);
  const agent = await connectAgent(hub, project.name, 'a');
  const [first, second] = await newItems(hub, project, 2);
  await hears(agent, first!);
  await agent.call('item.claim', { id: second!.id });
  forget(agent);
  await complete(agent, second!);
  await hears(agent, first!);
});

test('[OF7] capacity counts claims: an agent with room for two hears while it holds one', async () => {
  const project = await newProject(hub);
  const agent = await connectAgent(hub, project.name, 'wide', { capacity: 2 });
  const [first, second, third] = await newItems(hub, project, 3);
  await Promise.all([hears(agent, first!), hears(agent, second!)]);
  await agent.call('item.claim', { id: first!.id });
  await agent.call('item.claim', { id: second!.id });
  forget(agent);
  expect(await agent.call('item.claim_next', { project: project.id })).toEqual({
    claim: null,
    reason: 'at_capacity',
  });
  await agent.call('item.release', { id: second!.id, attempt: 1 });
  await Promise.any([hears(agent, second!), hears(agent, third!)]);
});

test('[OF8] what waits is offered once the last thing it waited for is done: dependents and parents', async () => {
  const project = await newProject(hub);
  const agent = await connectAgent(hub, project.name, 'a');
  const answer = await call(hub, 'item.create', {
    project: project.id,
    items: [
      { title: 'parent', ref: 'parent' },
      { title: 'child', ref: 'child', parent_item_id: 'parent' },
      { title: 'dependent', dependencies: ['child', 'parent'] },
    ],
  });
  const [parent, child, dependent] = (answer as { items: Item[] }).items;
  for (const [item, next] of [
    [child!, parent!],
    [parent!, dependent!],
  ]) {
    await hears(agent, item!);
    expect(offered(agent)).not.toContain(next!.id);
    await agent.call('item.claim', { id: item!.id });
    await complete(agent, item!);
  }
  await hears(agent, dependent!);
});

test('[OF9] released, requeued, retried and due items are offered again', async () => {
  const brief = await startTestHub({ timing: { graceSeconds: 0.2 } });
  try {
    const project = await newProject(brief);
    const agent = await connectAgent(brief, project.name, 'a');
    const again = async (attempt: number, item: Item) => {
      forget(agent);
      await hears(agent, item);
      await call(brief, 'item.claim', { id: item.id, agent_id: 'h', lease_seconds: 0.2 });
      return { id: item.id, agent_id: 'h', attempt };
    };
    const item = await newItem(brief, project, { max_attempts: 2 });
    await hears(agent, item);
    await call(brief, 'item.claim', { id: item.id, agent_id: 'h', lease_seconds: 0.2 });
    const released = await again(2, item); // its lease ended
    await call(brief, 'item.release', released);
    const due = await again(3, item);
    await call(brief, 'item.fail', { ...due, failure_reason: 'no luck' });
    const failed = await again(4, item); // retry_at fell due
    await call(brief, 'item.fail', { ...failed, failure_reason: 'no luck' });
    forget(agent);
    await call(brief, 'item.retry', { id: item.id });
    await hears(agent, item);
  } finally {
    await brief.stop();
  }
});

test('[OF10] under deny, an item that shares files with a claim is not offered until the overlap is gone', async () => {
  const project = await newProject(hub, { conflict_policy: 'deny' });
  const [held, denied] = await newItems(hub, project, 2, { files_planned: ['src/a.ts'] });
  const free = await newItem(hub, project, { priority: 9 });
  await call(hub, 'item.claim', { id: held!.id, agent_id: 'h' });
  const agent = await connectAgent(hub, project.name, 'a', { capacity: 5 });
  await hears(agent, free);
  expect(offered(agent)).not.toContain(denied!.id);
  await call(hub, 'item.complete', {
    id: held!.id,
    agent_id: 'h',
    attempt: 1,
    result_summary: 'done',
    files_modified: [],
  });
  await hears(agent, denied!);
});
