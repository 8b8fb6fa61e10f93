// What a board sees: a snapshot, then every line of the log in order, without gaps.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentInfo, Progress } from '@switchyard/shared/agent';
import type { CatchUp, ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { startChildHub } from './setup/child-hub.ts';
import type { Client } from './setup/hub.ts';
import {
  adminToken,
  call,
  connect,
  connectAgent,
  newProject,
  refusal,
  startTestHub,
  type TestHub,
} from './setup/hub.ts';
import { complete, itemsOf, logOf, newItem, newItems, wireOf } from './setup/steps.ts';
import { until } from './setup/until.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

const watch = <T = Snapshot>(board: Client, project: string, after?: number) =>
  board.call<T>('project.watch', after === undefined ? { project } : { project, after });

const seenBy = (board: Client) => board.all<ProjectEvent>('project.event');

const lastSeq = async (project: { id: string }, on: { url: string } = hub) =>
  (await call(on, 'project.get', { project: project.id })).project.last_seq;

/** Waits until the board has seen `seq`, and checks that it saw every line after `from` once and in order. */
async function sawAll(board: Client, from: number, seq: number): Promise<ProjectEvent[]> {
  await until(`the board has seen ${seq}`, () => (seenBy(board).at(-1)?.seq ?? from) >= seq);
  const seen = seenBy(board);
  expect(seen.map((event) => event.seq)).toEqual(seen.map((_, n) => from + 1 + n));
  return seen;
}

/** Agents that claim and complete until nothing is left. */
async function workOff(project: { id: string; name: string }, agents: number): Promise<void> {
  await Promise.all(
    Array.from({ length: agents }, async (_, n) => {
      const agent = await connectAgent(hub, project.name, `w${n}`);
      let { claim } = await agent.call('item.claim_next', { project: project.id });
      while (claim) {
        const answer = await agent.call('item.complete', {
          id: claim.item.id,
          attempt: claim.attempt,
          result_summary: 'done',
          files_modified: [`src/${claim.item.number % 7}.ts`],
          claim_next: true,
        });
        claim = answer.next!.claim;
      }
    }),
  );
}

test('[WT1] whoever comes while thousands of changes go on has a snapshot and then every line after it', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 1_000, { files_planned: ['src/1.ts'] });
  const work = workOff(project, 8);
  let working = true;
  void work.finally(() => (working = false));
  const boards: { board: Client; snapshot: Snapshot }[] = [];
  while (working && boards.length < 12) {
    const board = await connect(hub);
    boards.push({ board, snapshot: await watch(board, project.id) });
  }
  await work;
  expect(boards.length).toBeGreaterThan(2);
  const end = await lastSeq(project);
  const items = new Map((await itemsOf(hub, project)).map((item) => [item.id, item]));
  for (const { board, snapshot } of boards) {
    const seen = await sawAll(board, snapshot.seq, end);
    // Snapshot and log lead to what the database holds: the higher version wins.
    const known = new Map(snapshot.items.map((item) => [item.id, item]));
    for (const { item } of seen)
      if (item && item.version >= (known.get(item.id)?.version ?? 0)) known.set(item.id, item);
    for (const [id, item] of known)
      expect([item.status, item.version]).toEqual([items.get(id)!.status, items.get(id)!.version]);
    expect(snapshot.items.filter((item) => item.status === 'todo').length).toBeLessThanOrEqual(200);
  }
});

test('[WT2] with `after` comes what was missed, each line with its item, and then what follows', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project);
  const agent = await connectAgent(hub, project.name, 'a');
  await agent.call('item.claim', { id: item.id });
  const from = (await logOf(hub, project)).find((event) => event.type === 'item.created')!.seq;
  const board = await connect(hub);
  const answer = await watch<CatchUp>(board, project.name, from);
  expect(answer.events.map((event) => event.type)).toEqual(['agent.connected', 'item.claimed']);
  expect(answer.seq).toBe(from + 2);
  expect(answer.events[1]).toMatchObject({
    project_id: project.id,
    seq: from + 2,
    actor: 'a',
    item_id: item.id,
    attempt: 1,
    item: { id: item.id, status: 'claimed' },
    data: { status: 'claimed', assigned_agent_id: 'a' },
  });
  await complete(agent, item);
  const [event] = await sawAll(board, answer.seq, from + 3);
  expect(event).toMatchObject({ type: 'item.completed', item: { status: 'done', version: 3 } });
  expect(await watch<CatchUp>(board, project.name, from + 3)).toEqual({ seq: from + 3, events: [] });
});

test('[WT3] whoever is too far behind, or ahead of the log, gets a snapshot', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 1_001);
  const board = await connect(hub);
  expect(await watch(board, project.id, 0)).toMatchObject({ seq: 1_001, project: { id: project.id } });
  expect((await watch<CatchUp>(board, project.id, 1)).events).toHaveLength(1_000);
  expect(await watch(board, project.id, 5_000)).toMatchObject({ seq: 1_001, items: expect.any(Array) as [] });
});

test('[WT4] the snapshot is the first window: claimed and failed items whole, and what else there is to show', async () => {
  const project = await newProject(hub);
  const items = await newItems(hub, project, 450, { files_planned: ['a.ts'] });
  for (const item of items.slice(0, 210))
    await call(hub, 'item.claim', { id: item.id, agent_id: `a${item.number % 2}` });
  await call(hub, 'item.fail', { id: items[0]!.id, agent_id: 'a1', attempt: 1, failure_reason: 'no' });
  const board = await connect(hub);
  const { seq, items: shown, progress, agents, conflicts } = await watch(board, project.id);
  const count = (status: string) => shown.filter((item) => item.status === status).length;
  expect([count('claimed'), count('failed'), count('todo')]).toEqual([209, 1, 200]);
  expect(seq).toBe(await lastSeq(project));
  expect(progress).toMatchObject({ total: 450, claimed: 209, failed: 1, todo: 240, ready: 240 });
  expect(agents.map((agent) => [agent.agent_id, agent.claims.length])).toEqual([
    ['a0', 105],
    ['a1', 104],
  ]);
  expect(conflicts.length).toBe((209 * 208) / 2);
}, 60_000);

test('[WT4] the window of what is todo is its beginning by priority, be it ready or blocked', async () => {
  const project = await newProject(hub);
  const made = (number: number, more: object) => newItems(hub, project, number, more);
  const [first] = await made(1, { priority: 9 });
  const ready = await made(150, { priority: 4 });
  const blocked = await made(150, { priority: 3, dependencies: [first!.id] });
  const { items: shown } = await watch(await connect(hub), project.id);
  const expected = [...blocked, ...ready.slice(0, 50)].map((item) => item.number);
  expect(shown.map((item) => item.number).sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
});

test('[WT5] unwatch ends it; watching again with `after` brings what was missed', async () => {
  const project = await newProject(hub);
  const [board, other] = [await connect(hub), await connect(hub)];
  await watch(other, project.id);
  const { seq } = await watch(board, project.id);
  await newItem(hub, project);
  await sawAll(board, seq, seq + 1);
  await board.call('project.unwatch', { project: project.id });
  await newItem(hub, project);
  await sawAll(other, seq, seq + 2);
  await board.call('project.list');
  expect(seenBy(board)).toHaveLength(1);
  const answer = await watch<CatchUp>(board, project.id, seq + 1);
  expect(answer.events.map((event) => event.seq)).toEqual([seq + 2]);
  await newItem(hub, project);
  await until('the next line comes', () => seenBy(board).at(-1)!.seq === seq + 3);
});

test('[WT6] a socket may watch several projects, and watching twice brings nothing twice', async () => {
  const [one, two] = [await newProject(hub), await newProject(hub)];
  const board = await connect(hub);
  await Promise.all([watch(board, one.id), watch(board, two.name), watch(board, one.name)]);
  await newItem(hub, one);
  await newItem(hub, two);
  await until('both are seen', () => new Set(seenBy(board).map((event) => event.project_id)).size === 2);
  await board.call('project.list');
  expect(seenBy(board)).toHaveLength(2);
});

test('[WT7] progress and agents are pushed at most four times a second, and end where the project stands', async () => {
  const project = await newProject(hub);
  await newItems(hub, project, 600);
  const board = await connect(hub);
  await watch(board, project.id);
  const startMs = performance.now();
  await workOff(project, 4);
  const pushes = () => board.all<{ progress: Progress }>('project.progress');
  await until('progress is complete', () => pushes().at(-1)?.progress.done === 600);
  const seconds = (performance.now() - startMs) / 1_000;
  expect(pushes().length).toBeLessThanOrEqual(4 * seconds + 2);
  const { progress } = await call(hub, 'project.progress', { project: project.id });
  expect(pushes().at(-1)!.progress).toMatchObject({ done: progress.done, percent: 100, ready: 0 });
  const agents = () => board.all<{ project_id: string; agents: AgentInfo[] }>('project.agents');
  expect(agents().length).toBeLessThanOrEqual(4 * seconds + 2);
  await until('the agents’ work is shown', () => {
    const shown = agents().at(-1)!.agents;
    return shown.reduce((sum, agent) => sum + agent.completed_count, 0) === 600;
  });
});

test('[WT8] a viewer may watch; who may not see the project is told that there is none', async () => {
  const [project, other] = [await newProject(hub), await newProject(hub)];
  const token = async (input: { role: 'viewer' | 'agent'; project?: string }) =>
    (await call(hub, 'token.create', { label: 't', ...input })).token.token;
  const viewer = await connect(hub, { token: await token({ role: 'viewer' }) });
  expect(await watch(viewer, project.name)).toMatchObject({ seq: 0, items: [] });
  const bound = await connect(hub, { token: await token({ role: 'viewer', project: other.id }) });
  expect(await refusal(watch(bound, project.id))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await refusal(watch(bound, 'no-such-project'))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await watch(bound, other.id)).toMatchObject({ project: { id: other.id } });
  const agent = await connectAgent(hub, project.name, 'a');
  expect(await refusal(watch(agent, other.id))).toMatchObject({ code: 'NOT_FOUND' });
  expect(await refusal(viewer.call('project.watch', { project: project.id, after: -1 }))).toMatchObject({
    code: 'VALIDATION',
  });
  await newItem(hub, project);
  await until('the viewer sees it', () => seenBy(viewer).length > 0);
  expect(seenBy(bound)).toEqual([]);
});

async function memoryOf(on: { url: string }): Promise<number> {
  const { text } = await metricsOf(on);
  const read = (name: string) => Number(new RegExp(`^switchyard_${name} (\\S+)`, 'm').exec(text)?.[1]);
  return read('nodejs_heap_size_used_bytes') + read('nodejs_external_memory_bytes');
}

async function metricsOf(on: { url: string }): Promise<{ text: string }> {
  const response = await fetch(`${on.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
  return { text: await response.text() };
}

test('[WT10] a project that is deleted sends its watchers away, wherever they are, and is not found again', async () => {
  const project = await newProject(hub);
  const elsewhere = await startTestHub({ database: hub.database });
  try {
    const boards = [await connect(hub), await connect(elsewhere)];
    for (const board of boards) await watch(board, project.id);
    const other = await connect(hub);
    await watch(other, (await newProject(hub)).id);
    await call(hub, 'project.delete', { project: project.id, confirm: project.name });
    for (const board of boards) {
      await until('it was sent away', () => !board.socket.connected);
      board.socket.connect();
      expect(await refusal(watch(board, project.id))).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect(other.socket.connected).toBe(true);
  } finally {
    await elsewhere.stop();
  }
});

test('[WT9] a paused board costs the hub little; once it reads again it sees a gap and catches up', async () => {
  // With what it would take to keep all that, it would die.
  const busy = await startChildHub({ heapMb: 112 });
  const project = await newProject(busy);
  const [paused, awake] = [await connect(busy), await connect(busy)];
  const { seq } = await watch(paused, project.id);
  await watch(awake, project.id);
  wireOf(paused).pause();
  const before = await memoryOf(busy);
  // Some 110 MB of events: titles are short, descriptions are not.
  const description = 'long '.repeat(9_000);
  let most = 0;
  for (let n = 0; n < 60; n++) {
    const items = Array.from({ length: 20 }, (_, i) => ({ title: `${n}-${i}`, description }));
    await call(busy, 'item.create', { project: project.id, items });
    most = Math.max(most, await memoryOf(busy));
  }
  await sawAll(awake, seq, 1_200);
  expect(most - before).toBeLessThan(80_000_000);
  wireOf(paused).resume();
  await until('the gap is seen', () => seenBy(paused).at(-1)?.seq === 1_200);
  expect(seenBy(paused).length).toBeLessThan(1_200);
  const last = seenBy(paused).findLast((event, n) => event.seq === seq + 1 + n)?.seq ?? seq;
  expect(await watch<Snapshot | CatchUp>(paused, project.id, last)).toMatchObject({
    seq: expect.any(Number) as number,
  });
  await newItem(busy, project);
  await until('it is up to date', () => seenBy(paused).at(-1)?.seq === 1_201);
}, 60_000);
