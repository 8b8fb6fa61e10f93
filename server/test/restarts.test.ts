// The real hub as a process: killed, stopped and started again under load.
import { describe, expect, onTestFinished, test } from 'vitest';
import postgres from 'postgres';
import { checkAcknowledged } from '../../agent/drill/witness.ts';
import { spawnHub, startChildHub, type ChildHub } from './setup/child-hub.ts';
import { startFleet, type Fleet } from './setup/fleet.ts';
import {
  adminToken,
  call,
  connect,
  connectAgent,
  createDatabase,
  newProject,
  startTestHub,
} from './setup/hub.ts';
import { complete, getItem, itemsOf, logOf, newItem, newItems, violationsOf, wireOf } from './setup/steps.ts';
import { until } from './setup/until.ts';

const timing = { lease: 30, heartbeat: 1, grace: 10 };

/** A hub, a backlog, and agents at work on it. */
async function underLoad(hub: ChildHub, items: number) {
  const project = await newProject(hub);
  await newItems(hub, project, items);
  const fleet = await startFleet(hub, project, { agents: 20, workMs: 40, items });
  await until('work goes on', () => fleet.completed() > items / 4);
  return { project, fleet };
}

/** Everything was done, once, by who claimed it first; and all that was acknowledged is there. */
async function allWell(hub: ChildHub, project: { id: string; name: string }, fleet: Fleet): Promise<void> {
  const sessions = fleet.clients.map((client) => client.sessionId);
  await fleet.finished;
  const [events, items] = [await logOf(hub, project), await itemsOf(hub, project)];
  expect(await violationsOf(hub, project)).toEqual([]);
  expect(checkAcknowledged(fleet.acknowledged, events)).toEqual([]);
  expect(items.filter((item) => item.status !== 'done' || item.attempt !== 1)).toEqual([]);
  expect(events.filter((event) => event.type === 'item.requeued')).toEqual([]);
  expect(new Set(events.flatMap((event) => event.session_id ?? []))).toEqual(new Set(sessions));
  expect([...fleet.refused]).toEqual([]);
}

describe('a hub under load', { timeout: 60_000 }, () => {
  test('[RS1] killed and started again: what was acknowledged is there, and agents keep their claims', async () => {
    const hub = await startChildHub({ timing });
    const { project, fleet } = await underLoad(hub, 400);
    await hub.end('SIGKILL');
    const again = await startChildHub({ timing, dataDir: hub.dataDir, port: hub.port });
    await allWell(again, project, fleet);
  });

  test('[RS2] told to stop: agents are told, what is done is acknowledged, it ends well, and all goes on', async () => {
    const hub = await startChildHub({ timing });
    const { project, fleet } = await underLoad(hub, 400);
    const drained = Promise.all(
      fleet.clients.map((client) => new Promise((resolve) => client.on('hub.draining', resolve))),
    );
    const board = await connect(hub);
    await board.call('project.watch', { project: project.id });
    // One that reads nothing any more must not keep the hub from ending.
    const paused = await connect(hub);
    await paused.call('project.watch', { project: project.id });
    wireOf(paused).pause();
    const acknowledged: string[] = [];
    let creating = true;
    // More than the hub can do at a time, so that something is always under way.
    const clients = await Promise.all(Array.from({ length: 64 }, () => connect(hub)));
    const creators = clients.map(async (client, n) => {
      for (let i = 0; creating; i++) {
        const title = `extra ${n}-${i}`;
        const answered = await client.call('item.create', { project: project.id, title, priority: 9 }).then(
          () => true,
          (error: { code?: string }) => (error.code === 'UNAVAILABLE' ? null : false),
        );
        if (answered === false) return;
        if (answered) acknowledged.push(title);
      }
    });
    await until('items are being created', () => acknowledged.length > 20);
    const ended = hub.end('SIGTERM');
    expect(await drained).toEqual(
      fleet.clients.map(() => ({ reconnect_after_ms: expect.any(Number) as number })),
    );
    await board.hear('hub.draining');
    expect(await ended).toEqual({ code: 0, signal: null });
    creating = false;
    await Promise.all(creators);

    const again = await startChildHub({ timing, dataDir: hub.dataDir, port: hub.port });
    const made = (await itemsOf(again, project)).filter((item) => item.title.startsWith('extra'));
    // Nothing was done without a word: every item that is there was acknowledged.
    expect(made.map((item) => item.title).sort()).toEqual([...acknowledged].sort());
    await fleet.finished;
    const events = await logOf(again, project);
    expect(events.filter((event) => event.type === 'item.requeued')).toEqual([]);
    expect(checkAcknowledged(fleet.acknowledged, events)).toEqual([]);
  });

  test('[RS3] Ctrl-C, which reaches the whole process group: it ends well, its database after it', async () => {
    const hub = await startChildHub({ timing, ownGroup: true });
    const { project, fleet } = await underLoad(hub, 300);
    process.kill(-hub.process.pid!, 'SIGINT');
    process.kill(-hub.process.pid!, 'SIGINT');
    await hub.closed;
    expect([hub.process.exitCode, hub.process.signalCode]).toEqual([0, null]);
    const again = await startChildHub({ timing, dataDir: hub.dataDir, port: hub.port });
    await allWell(again, project, fleet);
  });
});

test('[RS2] what is under way over HTTP when it is told to stop is answered, too', async () => {
  const hub = await startTestHub();
  const project = await newProject(hub);
  const sql = postgres({ ...(hub.database as object), max: 2 });
  onTestFinished(() => sql.end());
  const locked = await sql.reserve();
  await locked`BEGIN`;
  await locked`SELECT 1 FROM projects WHERE id = ${project.id} FOR UPDATE`;
  const answer = newItem(hub, project);
  await until('it is under way', async () => {
    const waiting =
      await sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    return waiting.length > 0;
  });
  const stopped = hub.stop();
  const toldAt = Date.now();
  await until('it had time to hang up', () => Date.now() > toldAt + 1_000);
  await locked`ROLLBACK`;
  locked.release();
  expect(await answer).toMatchObject({ number: 1, status: 'todo' });
  await stopped;
});

test.each([
  ['stalls', false],
  ['sleeps, as its machine may,', true],
])(
  '[RS7] a hub that %s past every lease puts nothing back before agents had a grace',
  async (_, sleeps) => {
    const hub = await startChildHub({ timing: { lease: 1, heartbeat: 0.2, grace: 3 }, sleeps });
    const project = await newProject(hub);
    const [lapsing, item] = await newItems(hub, project, 2);
    await call(hub, 'item.claim', { id: lapsing!.id, agent_id: 'b', lease_seconds: 0.1 });
    await until('it puts back', async () => (await getItem(hub, lapsing!.id)).status === 'todo');
    const agent = await connectAgent(hub, project.name, 'a');
    const { claim } = await agent.call('item.claim', { id: item!.id });
    hub.process.kill('SIGSTOP');
    await until('the lease is long over', () => Date.now() > Date.parse(claim.lease_expires_at) + 2_000);
    hub.process.kill('SIGCONT');
    const goesOnAt = Date.now();
    // Not at once, as a hub finds it that comes back together with its agents.
    await until('it had time to sweep', () => Date.now() > goesOnAt + 1_000);
    const claims = [{ item_id: item!.id, attempt: 1 }];
    expect(await agent.call('agent.heartbeat', { claims })).toMatchObject({ lost: [] });
    expect((await complete(agent, item!)).item.status).toBe('done');
  },
  30_000,
);

describe('starting', () => {
  test('[RS4] hubs that start together on an empty database migrate it once', async () => {
    const database = await createDatabase();
    const hubs = await Promise.all(Array.from({ length: 4 }, () => startTestHub({ database })));
    const project = await newProject(hubs[0]!);
    for (const hub of hubs) expect(await itemsOf(hub, project)).toEqual([]);
    await Promise.all(hubs.map((hub) => hub.stop()));
  });

  test('[RS5] a database with a newer schema is refused with what to do, and left as it is', async () => {
    const database = await createDatabase();
    await (await startTestHub({ database })).stop();
    const sql = postgres({ ...database, max: 1 });
    const applied = () => sql`SELECT version, name FROM schema_migrations ORDER BY version`;
    await sql`INSERT INTO schema_migrations (version, name) VALUES (999, '999_from_the_future.sql')`;
    const before = await applied();
    await expect(startTestHub({ database })).rejects.toThrow(
      /schema version 999.*knows up to \d+.*newer Switchyard/s,
    );
    expect(await applied()).toEqual(before);
    await sql.end();
  });

  test('[RS6] a hub that cannot start says why in a sentence, and ends with 1', async () => {
    const taken = await startTestHub();
    const hub = spawnHub({
      databaseUrl: 'postgres://nobody@127.0.0.1:1/nothing',
      port: Number(new URL(taken.url).port),
    });
    await hub.closed;
    expect(hub.process.exitCode).toBe(1);
    expect(hub.output()).toContain('Switchyard cannot start.');
    expect(hub.output()).not.toContain(adminToken);
    await taken.stop();
  }, 30_000);
});
