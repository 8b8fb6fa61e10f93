import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Refusal } from '@switchyard/shared/errors';
import type { ClaimRef } from '@switchyard/shared/agent';
import type { Event, Item } from '@switchyard/shared/item';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import type { Call } from '../call.ts';
import { connect, type ConnectOptions, type HubClient } from '../client.ts';
import { followProject } from '../follow.ts';
import { httpCaller } from '../http.ts';
import { proxyTo } from './proxy.ts';

let hub: TestHub;
let call: Call;
beforeAll(async () => {
  hub = await startTestHub({ timing: { heartbeatSeconds: 0.1 } });
  call = httpCaller({ url: hub.url, token: adminToken });
});
afterAll(() => hub.stop());

async function client(options: Partial<ConnectOptions> = {}): Promise<HubClient> {
  const opened = await connect({ url: hub.url, token: adminToken, project: null, ...options });
  onTestFinished(() => opened.close());
  return opened;
}

async function proxy() {
  const made = await proxyTo(hub.url);
  onTestFinished(() => made.close());
  return made;
}

/** A project with so many items. */
async function projectWith(count: number): Promise<{ project: string; items: Item[] }> {
  const { name: project } = await newProject(hub);
  const items = Array.from({ length: count }, (_, n) => ({ title: `Item ${n + 1}` }));
  const made = await call('item.create', { project, items });
  return { project, items: 'items' in made ? made.items : [] };
}

const hears = <T>(listen: (resolve: (value: T) => void) => void) => new Promise<T>(listen);

test('an agent claims, finishes, and is given the next', async () => {
  const { project } = await projectWith(2);
  const agent = await client({ project, agentId: 'anna' });
  expect(agent.ready).toMatchObject({ agent_id: 'anna', session_id: agent.sessionId, claims: [] });
  const { claim } = await agent.call('item.claim_next', { project });
  const first = { id: claim!.item.id, attempt: claim!.attempt };
  expect([...agent.claims]).toEqual([[first.id, 1]]);
  const { next } = await agent.call('item.complete', { ...first, result_summary: 'ok', claim_next: true });
  expect([...agent.claims.keys()]).toEqual([next!.claim!.item.id]);
  await agent.call('item.release', { id: next!.claim!.item.id, attempt: 1 });
  expect(agent.claims.size).toBe(0);
});

test('a refusal is thrown as the hub said it, over socket and HTTP alike', async () => {
  const watcher = await client();
  const overSocket: Call = (command, input) => watcher.call(command, input);
  for (const ask of [overSocket, call]) {
    const asked = ask('project.get', { project: 'nowhere' });
    await expect(asked).rejects.toBeInstanceOf(Refusal);
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' });
  }
});

test('a wrong token is refused at once, and where nobody listens the wait ends', async () => {
  await expect(connect({ url: hub.url, token: 'swy_wrong', project: null })).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
  });
  await expect(
    connect({ url: 'http://127.0.0.1:1', token: adminToken, project: null, connectTimeoutMs: 300 }),
  ).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  await expect(
    httpCaller({ url: 'http://127.0.0.1:1', token: '' })('project.list', {}),
  ).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
});

test('an offer that comes with the session is heard', async () => {
  const { project, items } = await projectWith(1);
  const offered = await hears<Item>((resolve) => {
    void client({ project, agentId: 'anna', on: { 'item.available': ({ item }) => resolve(item) } });
  });
  expect(offered.id).toBe(items[0]!.id);
});

test('after a broken connection the session and its claims are the same', async () => {
  const { project } = await projectWith(1);
  const between = await proxy();
  const agent = await client({ url: between.url, project, agentId: 'anna' });
  const { claim } = await agent.call('item.claim_next', { project });
  const ready = hears((resolve) => void agent.on('session.ready', resolve));
  between.cut();
  expect(await ready).toMatchObject({
    session_id: agent.sessionId,
    claims: [{ item: { id: claim!.item.id } }],
  });
  const held = { id: claim!.item.id, attempt: claim!.attempt };
  await expect(agent.call('item.complete', { ...held, result_summary: 'ok' })).resolves.toMatchObject({
    item: { status: 'done' },
  });
});

test('a completion whose answer got lost is answered after the reconnect', async () => {
  const { project } = await projectWith(1);
  const between = await proxy();
  const agent = await client({ url: between.url, project, agentId: 'anna' });
  const { claim } = await agent.call('item.claim_next', { project });
  between.loseAnswers();
  const held = { id: claim!.item.id, attempt: claim!.attempt };
  const completed = agent.call('item.complete', { ...held, result_summary: 'ok', request_id: 'once' });
  await expect.poll(async () => (await call('item.get', { id: held.id })).item.status).toBe('done');
  between.cut();
  await expect(completed).resolves.toMatchObject({ item: { status: 'done' } });
  const { events } = await call('item.history', { id: held.id });
  expect(events.filter((event) => event.type === 'item.completed')).toHaveLength(1);
});

test('a claim whose answer got lost is one claim, under a request_id of its own', async () => {
  const { project } = await projectWith(2);
  const between = await proxy();
  const agent = await client({ url: between.url, project, agentId: 'anna' });
  between.loseAnswers();
  const claimed = agent.call('item.claim_next', { project });
  const claimedItems = () => call('item.list', { project, status: 'claimed' });
  await expect.poll(async () => (await claimedItems()).total).toBe(1);
  between.cut();
  const { claim } = await claimed;
  expect((await claimedItems()).items.map(({ id }) => id)).toEqual([claim!.item.id]);
});

test('where nobody answers in time the refusal has the request_id that finds out', async () => {
  const { project, items } = await projectWith(1);
  const between = await proxy();
  const agent = await client({ url: between.url, project, agentId: 'anna' });
  between.loseAnswers();
  const id = items[0]!.id;
  const asked = agent.call('item.claim', { id }, { timeoutMs: 200 });
  await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const request_id = await asked.then(String, (refusal: Refusal) => refusal.details.request_id as string);
  between.cut();
  const { claim } = await agent.call('item.claim', { id, request_id });
  expect(claim).toMatchObject({ attempt: 1, session_id: agent.sessionId });
});

test('the heartbeat finds out that a claim is lost', async () => {
  const { project } = await projectWith(1);
  const agent = await client({ project, agentId: 'anna' });
  const { claim } = await agent.call('item.claim_next', { project });
  const lost = hears<ClaimRef>((resolve) => void agent.on('claim.lost', resolve));
  // Behind the session's back: over HTTP the agent's name and the attempt suffice.
  await call('item.release', { id: claim!.item.id, attempt: 1, agent_id: 'anna' });
  expect(await lost).toMatchObject({ item_id: claim!.item.id, attempt: 1 });
  expect(agent.claims.size).toBe(0);
});

test('a closed client says so', async () => {
  const watcher = await client();
  await watcher.close();
  await expect(watcher.call('project.list', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('whoever follows a project sees every event once, also those of a broken connection', async () => {
  const { project } = await projectWith(3);
  const between = await proxy();
  const watcher = await client({ url: between.url });
  const seen: Event[] = [];
  const following = await followProject(watcher, project, {
    after: 0,
    onEvent: (event) => void seen.push(event),
  });
  await call('item.create', { project, title: 'Item 4' });
  expect(await following.reached(4, 2_000)).toBe(true);
  between.cut();
  await call('item.create', { project, title: 'Item 5' });
  expect(await following.reached(5, 5_000)).toBe(true);
  await call('item.create', { project, title: 'Item 6' });
  expect(await following.reached(6, 5_000)).toBe(true);
  expect(seen.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6]);
});
