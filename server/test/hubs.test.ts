// Two hubs on one database, and one history.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommandInput, CommandName } from '@switchyard/shared/commands';
import type { Item } from '@switchyard/shared/item';
import type { ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import {
  call,
  connect,
  connectAgent,
  newProject,
  refusal,
  startTestHub,
  type Client,
  type TestHub,
} from './setup/hub.ts';
import {
  complete,
  eventsOf,
  getItem,
  itemsOf,
  logOf,
  newItem,
  newItems,
  violationsOf,
} from './setup/steps.ts';
import { until } from './setup/until.ts';

let a: TestHub;
let b: TestHub;
beforeAll(async () => {
  const timing = { graceSeconds: 0.5 };
  a = await startTestHub({ timing });
  b = await startTestHub({ timing, database: a.database });
});
afterAll(() => Promise.all([a.stop(), b.stop()]));

const seenBy = (board: Client) => board.all<ProjectEvent>('project.event');

test('[HB1] a board on one hub sees in order, without gaps, what happens through both', async () => {
  const project = await newProject(a);
  const boards = await Promise.all([connect(a), connect(b)]);
  const starts = await Promise.all(
    boards.map((board) => board.call<Snapshot>('project.watch', { project: project.id })),
  );
  await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      const hub = n % 2 ? a : b;
      const item = await newItem(hub, project);
      await call(hub === a ? b : a, 'item.update', { id: item.id, priority: n % 10 });
    }),
  );
  const events = await logOf(a, project);
  expect(events).toHaveLength(120);
  for (const [n, board] of boards.entries()) {
    await until('the board has seen all', () => seenBy(board).length >= 120 - starts[n]!.seq);
    expect(seenBy(board).map(({ item: _, ...event }) => event)).toEqual(events.slice(starts[n]!.seq));
  }
});

test('[HB2] agents on both hubs finish a backlog; nothing is claimed twice at once', async () => {
  const project = await newProject(a);
  await newItems(a, project, 400, { files_planned: ['src/'] });
  const done = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const agent = await connectAgent(n % 2 ? a : b, project.name, `a${n}`);
      let count = 0;
      let { claim } = await agent.call('item.claim_next', { project: project.id });
      while (claim) {
        const { next } = await agent.call('item.complete', {
          id: claim.item.id,
          attempt: claim.attempt,
          result_summary: 'done',
          files_modified: [],
          claim_next: true,
        });
        claim = next!.claim;
        count++;
      }
      return count;
    }),
  );
  expect(done.reduce((sum, count) => sum + count, 0)).toBe(400);
  // Neither hub starves the other.
  for (const hub of [0, 1]) expect(done.some((count, n) => n % 2 === hub && count > 0)).toBe(true);
  expect(await violationsOf(b, project)).toEqual([]);
});

test('[HB3] a hundred sessions on two hubs race for one item: exactly one wins', async () => {
  const project = await newProject(a);
  const item = await newItem(a, project);
  const agents = await Promise.all(
    Array.from({ length: 100 }, (_, n) => connectAgent(n % 2 ? a : b, project.name, `a${n}`)),
  );
  const answers = await Promise.all(
    agents.map((agent) =>
      agent.call('item.claim', { id: item.id }).then(
        () => 'won',
        (error: { code: string }) => error.code,
      ),
    ),
  );
  expect(answers.filter((answer) => answer === 'won')).toHaveLength(1);
  expect(new Set(answers)).toEqual(new Set(['won', 'ALREADY_CLAIMED']));
  expect(await getItem(b, item.id)).toMatchObject({ status: 'claimed', attempt: 1 });
});

test('[HB4] what is created, freed or cancelled through one hub reaches agents on the other', async () => {
  const project = await newProject(a);
  const agent = await connectAgent(b, project.name, 'a');
  const item = await newItem(a, project);
  await agent.hear<{ item: Item }>('item.available', (offer) => offer.item.id === item.id);
  await agent.call('item.claim', { id: item.id });
  const dependent = await newItem(a, project, { dependencies: [item.id], files_planned: ['a.ts'] });
  await complete(agent, item);
  await agent.hear<{ item: Item }>('item.available', (offer) => offer.item.id === dependent.id);
  await agent.call('item.claim', { id: dependent.id });
  const other = await newItem(a, project, { files_planned: ['a.ts'] });
  await call(a, 'item.claim', { id: other.id, agent_id: 'h' });
  expect(await agent.hear('conflict.detected')).toMatchObject({ item_id: dependent.id });
  await call(a, 'item.cancel', { id: dependent.id });
  expect(await agent.hear('claim.cancelled')).toMatchObject({ item_id: dependent.id, attempt: 1 });
});

test('[HB5] a session that moves to the other hub takes its claims along, and its old connection is closed', async () => {
  const project = await newProject(a);
  const item = await newItem(a, project);
  const session_id = randomUUID();
  const before = await connectAgent(a, project.name, 'mover', { session_id });
  await before.call('item.claim', { id: item.id });
  const closed = new Promise((resolve) => before.socket.once('disconnect', resolve));
  const after = await connectAgent(b, project.name, 'mover', { session_id });
  expect(after.ready!.claims).toMatchObject([{ attempt: 1, item: { id: item.id } }]);
  await closed;
  const { holder } = await call(a, 'item.explain', { id: item.id });
  expect(holder).toMatchObject({ connected: true, session_id });
  expect((await complete(after, item)).item.status).toBe('done');
});

test('[HB5] and is offered work there, whatever that hub had yet to hear of its claims', async () => {
  const project = await newProject(a);
  const claimed = await newItems(a, project, 30);
  // So that the other hub reads the log when they come, and not only from then on.
  await (await connect(b)).call('project.watch', { project: project.id });
  const movers: Client[] = [];
  for (const [n, item] of claimed.entries()) {
    const session = { session_id: randomUUID() };
    const before = await connectAgent(a, project.name, `mover${n}`, session);
    await before.call('item.claim', { id: item.id });
    const after = await connectAgent(b, project.name, `mover${n}`, session);
    await complete(after, item);
    movers.push(after);
  }
  const waiting = new Set((await newItems(a, project, 10)).map(({ id }) => id));
  for (const mover of movers)
    await mover.hear<{ item: Item }>('item.available', ({ item }) => waiting.has(item.id));
});

test('[HB6] both hubs sweep at once: each lapsed claim is put back once', async () => {
  const project = await newProject(a);
  const items = await newItems(a, project, 60);
  await Promise.all(
    items.map((item, n) =>
      call(n % 2 ? a : b, 'item.claim', { id: item.id, agent_id: `h${n % 7}`, lease_seconds: 0.3 }),
    ),
  );
  await until('all are back', async () =>
    (await itemsOf(a, project)).every((item) => item.status === 'todo'),
  );
  for (const item of items) expect(await eventsOf(b, item, 'item.requeued')).toHaveLength(1);
  expect((await itemsOf(b, project)).every((item) => item.lost_count === 1 && item.attempt === 1)).toBe(true);
  expect(await violationsOf(a, project, 'stuck')).toEqual([]);
});

test('[HB7] what one hub lets lapse, an agent on the other may heartbeat: one of both, never half', async () => {
  const brief = { leaseSeconds: 0.4, heartbeatSeconds: 0.1, graceSeconds: 0.1 };
  const [one, two] = [await startTestHub({ timing: brief, database: a.database }), a];
  try {
    const project = await newProject(one);
    const items = await newItems(one, project, 5);
    const agents = await Promise.all(items.map((_, n) => connectAgent(one, project.name, `a${n}`)));
    for (const [n, agent] of agents.entries()) await agent.call('item.claim', { id: items[n]!.id });
    // Heartbeats as late as the lease allows, so that some lose the race.
    for (let round = 0; round < 10; round++) {
      await until('the leases are nearly over', async () => {
        const { agents: shown } = await call(two, 'project.agents', { project: project.id });
        return shown.every(
          ({ lease_expires_at: ends }) => ends === null || Date.parse(ends) - Date.now() < 40,
        );
      });
      await Promise.all(
        agents.map(async (agent, n) => {
          const claims = [{ item_id: items[n]!.id, attempt: 1 }];
          const { lost } = await agent.call<{ lost: unknown[] }>('agent.heartbeat', { claims });
          const { status } = await getItem(two, items[n]!.id);
          if (lost.length > 0) expect(status).toBe('todo');
        }),
      );
    }
    expect(await violationsOf(two, project, 'stuck')).toEqual([]);
  } finally {
    await one.stop();
  }
});

test('[HB8] a token revoked through one hub closes its sockets on the other', async () => {
  const project = await newProject(a);
  const { token } = await call(a, 'token.create', { role: 'agent', label: 'spent', project: project.id });
  const agent = await connectAgent(b, project.name, 'a', { token: token.token });
  const closed = new Promise((resolve) => agent.socket.once('disconnect', resolve));
  await call(a, 'token.revoke', { id: token.id });
  await closed;
  const again = connect(b, { token: token.token, project: project.name, agent_id: 'a' });
  expect(await refusal(again)).toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('[HB9] a dependent that is created while its dependency completes through the other hub is never stranded', async () => {
  const project = await newProject(a);
  const agent = await connectAgent(a, project.name, 'a', { capacity: 300 });
  const rounds = await newItems(a, project, 300);
  for (const item of rounds) await agent.call('item.claim', { id: item.id });
  const dependents: string[] = [];
  for (let from = 0; from < rounds.length; from += 10) {
    await Promise.all(
      rounds.slice(from, from + 10).flatMap((item, n) => [
        complete(agent, item),
        n % 2
          ? newItem(b, project, { dependencies: [item.id] }).then(({ id }) => dependents.push(id))
          : newItem(b, project).then(async ({ id }) => {
              await call(b, 'item.update', { id, dependencies: [item.id] });
              dependents.push(id);
            }),
      ]),
    );
  }
  const items = new Map((await itemsOf(b, project)).map((item) => [item.id, item]));
  expect(dependents).toHaveLength(300);
  for (const id of dependents) expect(items.get(id)).toMatchObject({ ready: true, blocked_by: [] });
  // "Ready" in what is shown and "claimable" in fact are computed apart.
  let left = 300;
  for (let { claim } = await agent.call('item.claim_next', { project: project.id }); claim; left--) {
    const answer = await agent.call('item.complete', {
      id: claim.item.id,
      attempt: claim.attempt,
      result_summary: 'done',
      files_modified: [],
      claim_next: true,
    });
    claim = answer.next!.claim;
  }
  expect(left).toBe(0);
  expect(await violationsOf(a, project)).toEqual([]);
}, 40_000);

test('[HB10] a hub that stops hands its agents over: the other serves them, and their claims with them', async () => {
  const leaving = await startTestHub({ database: a.database, timing: { graceSeconds: 5 } });
  const project = await newProject(leaving);
  const item = await newItem(leaving, project);
  const session_id = randomUUID();
  const agent = await connectAgent(leaving, project.name, 'a', { session_id });
  await agent.call('item.claim', { id: item.id });
  await Promise.all([agent.hear('hub.draining'), leaving.stop()]);
  const again = await connectAgent(b, project.name, 'a', { session_id });
  expect(again.ready!.claims).toMatchObject([{ attempt: 1, item: { id: item.id } }]);
  expect((await complete(again, item)).item.status).toBe('done');
});

test('[HB11] a request that comes to both hubs at once is done once, and answered alike', async () => {
  const project = await newProject(a);
  const wishes: [CommandName, (n: number) => object][] = [
    ['project.create', (n) => ({ name: `${project.name}-${n}` })],
    ['token.create', (n) => ({ role: 'viewer', project: project.id, label: `t${n}` })],
    ['project.update', (n) => ({ project: project.id, description: `d${n}` })],
    ['item.create', (n) => ({ project: project.id, title: `i${n}` })],
  ];
  const rounds = 20;
  for (const [name, input] of wishes) {
    for (let n = 0; n < rounds; n++) {
      const wish = { ...input(n), request_id: randomUUID() } as CommandInput<'project.create'>;
      const answers = await Promise.all([a, b].map((hub) => call(hub, name as 'project.create', wish)));
      const [one, two] = answers.map((answer) => JSON.stringify(answer).replace(/"token":"[^"]*"/, ''));
      expect(two, name).toBe(one);
    }
  }
  const { projects } = await call(a, 'project.list', {});
  expect(projects.filter((one) => one.name.startsWith(`${project.name}-`))).toHaveLength(rounds);
  const { tokens } = await call(a, 'token.list', {});
  expect(tokens.filter((token) => token.project_id === project.id)).toHaveLength(rounds);
  expect((await logOf(a, project)).map((event) => event.type)).toEqual([
    ...Array.from({ length: rounds }, () => 'project.updated'),
    ...Array.from({ length: rounds }, () => 'item.created'),
  ]);
});
