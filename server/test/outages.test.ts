// The database goes away and comes back, under load: stopped, killed, unreachable without a word.
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { onTestFinished, expect, test } from 'vitest';
import type { CommandInput, CommandName } from '@switchyard/shared/commands';
import type { Item } from '@switchyard/shared/item';
import { checkAcknowledged } from '../../agent/drill/witness.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../postgres/cluster.ts';
import { readPidFile } from '../postgres/postmaster.ts';
import { newDataDir, startChildHub, type ChildHub } from './setup/child-hub.ts';
import { startFleet, type Fleet } from './setup/fleet.ts';
import {
  call,
  connectAgent,
  createDatabase,
  newProject,
  refusal,
  request,
  startTestHub,
} from './setup/hub.ts';
import { temporaryFolder } from './setup/postgres.ts';
import { smallDisk } from './setup/small-disk.ts';
import { itemsOf, logOf, newItems, violationsOf } from './setup/steps.ts';
import { startProxy, type TcpProxy } from './setup/tcp-proxy.ts';
import { until } from './setup/until.ts';

const timing = { lease: 30, heartbeat: 1, grace: 5 };

const urlThrough = (proxy: TcpProxy, { user, database }: { user: string; database: string }) =>
  `postgres://${user}@127.0.0.1:${proxy.port}/${database}`;

/** All is done, once; what was acknowledged is there, nothing was put back from agents that lived, and the hub lives. */
async function allWell(hub: ChildHub, project: { id: string }, fleet: Fleet): Promise<void> {
  await fleet.finished;
  const [events, items] = [await logOf(hub, project), await itemsOf(hub, project)];
  expect(await violationsOf(hub, project)).toEqual([]);
  expect(checkAcknowledged(fleet.acknowledged, events)).toEqual([]);
  const left = items.filter((item) => item.status !== 'cancelled');
  expect(left.filter((item) => item.status !== 'done' || item.attempt !== 1)).toEqual([]);
  expect(events.filter((event) => event.type === 'item.requeued')).toEqual([]);
  expect(hub.process.exitCode ?? hub.process.signalCode).toBe(null);
  expect(hub.output()).not.toMatch(/uncaught|unhandled|TypeError/i);
}

/** As any client does: asks again, with the same request_id, while the hub says UNAVAILABLE. */
function persist<T>(ask: () => Promise<T>): Promise<NonNullable<T>> {
  const attempt = () =>
    ask().catch((error: Error & { code?: string }) => {
      if (error.code !== 'UNAVAILABLE') throw error;
      return null;
    });
  return until('the hub answers', attempt, 30_000) as Promise<NonNullable<T>>;
}

/** A PostgreSQL of the test's own, to be ended at will. */
class OwnPostgres {
  readonly #dataDir = join(temporaryFolder(), 'data');
  #server!: EmbeddedPostgres;

  async start(): Promise<EmbeddedPostgres['connection']> {
    // After kill -9 its children may still be there for a moment, and a new one refuses to start beside them.
    this.#server = await until(
      'PostgreSQL starts',
      () => startEmbeddedPostgres({ dataDir: this.#dataDir, settings: { fsync: 'off' } }).catch(() => null),
      20_000,
    );
    return this.#server.connection;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { pid } = readPidFile(join(this.#dataDir, 'postgres/data'))!;
    process.kill(pid, signal);
    await until('it is gone', () => {
      try {
        return process.kill(pid, 0) && false;
      } catch {
        return true;
      }
    });
    await this.#server.stop();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }
}

test('[RS10] PostgreSQL stops fast, at once, and is killed: writes resume, nothing is lost, doubled or put back', async () => {
  const database = new OwnPostgres();
  const connection = await database.start();
  onTestFinished(() => database.stop());
  const proxy = await startProxy(connection);
  const hub = await startChildHub({ timing, databaseUrl: urlThrough(proxy, connection) });
  const project = await newProject(hub);
  await newItems(hub, project, 500);
  const fleet = await startFleet(hub, project, { agents: 20, workMs: 60, items: 500 });
  const made: { request_id: string; title: string }[] = [];
  for (const [n, signal] of (['SIGINT', 'SIGQUIT', 'SIGKILL'] as const).entries()) {
    await until('work goes on', () => fleet.completed() > 100 * (n + 1));
    await database.end(signal);
    const create = {
      project: project.id,
      title: `made in outage ${n}`,
      request_id: randomUUID(),
      priority: 9,
    };
    expect(await refusal(call(hub, 'item.create', create))).toMatchObject({
      code: 'UNAVAILABLE',
      details: { retry_after_ms: expect.any(Number) as number },
    });
    made.push(create);
    expect((await request(hub, 'GET', '/healthz')).status).toBe(200);
    expect((await request(hub, 'GET', '/readyz')).status).toBe(503);
    proxy.target = await database.start();
    await until('it is ready again', async () => (await request(hub, 'GET', '/readyz')).status === 200);
    // The request_id tells: it had not been done, so it is now, and only once.
    const repeats = await Promise.all([1, 2].map(() => persist(() => call(hub, 'item.create', create))));
    const ids = repeats.map((answer) => (answer as { item: Item }).item.id);
    expect(new Set(ids).size).toBe(1);
    await persist(() => call(hub, 'item.cancel', { id: ids[0]!, request_id: randomUUID() }));
  }
  await allWell(hub, project, fleet);
  const titles = (await itemsOf(hub, project)).map((item) => item.title);
  for (const { title } of made) expect(titles.filter((one) => one === title)).toHaveLength(1);
}, 90_000);

test('[RS11] connections to the database are reset again and again: every answer is true', async () => {
  const connection = await createDatabase();
  const proxy = await startProxy(connection);
  const hub = await startChildHub({ timing, databaseUrl: urlThrough(proxy, connection) });
  const project = await newProject(hub);
  await newItems(hub, project, 300);
  const fleet = await startFleet(hub, project, { agents: 20, workMs: 60, items: 300 });
  for (let n = 1; n <= 10; n++) {
    await until('work goes on', () => fleet.completed() > 25 * n);
    proxy.reset();
  }
  await allWell(hub, project, fleet);
}, 60_000);

test('[RS12] a database that falls silent: UNAVAILABLE by the deadline, then new connections, and nothing twice', async () => {
  const connection = await createDatabase();
  const proxy = await startProxy(connection);
  const hub = await startChildHub({ timing, databaseUrl: urlThrough(proxy, connection) });
  const project = await newProject(hub);
  await newItems(hub, project, 200);
  const fleet = await startFleet(hub, project, { agents: 10, workMs: 60, items: 200 });
  const agent = await connectAgent(hub, project.name, 'a');
  await until('work goes on', () => fleet.completed() > 60);
  const wish = { project: project.id, title: 'one', request_id: randomUUID() };
  // Statements arrive and are carried out, their answers do not.
  proxy.loseSilently('back');
  const answers = await Promise.allSettled([
    agent.call('item.create', wish),
    ...Array.from({ length: 8 }, () => agent.call('project.list')),
  ]);
  const codes = answers.flatMap((one) =>
    one.status === 'rejected' ? [(one.reason as { code: string }).code] : [],
  );
  expect(new Set(codes)).toEqual(new Set(['UNAVAILABLE']));
  const repeats = await Promise.all([1, 2].map(() => persist(() => agent.call('item.create', wish))));
  const ids = repeats.map((answer) => (answer as { item: Item }).item.id);
  expect(new Set(ids).size).toBe(1);
  await persist(() => call(hub, 'item.cancel', { id: ids[0]!, request_id: randomUUID() }));
  await allWell(hub, project, fleet);
  const titles = (await itemsOf(hub, project)).map((item) => item.title);
  expect(titles.filter((title) => title === 'one')).toHaveLength(1);
}, 60_000);

test('[RS13] the hub’s own PostgreSQL is killed: the hub starts it again, and all goes on', async () => {
  const hub = await startChildHub({ timing });
  const project = await newProject(hub);
  await newItems(hub, project, 200);
  const fleet = await startFleet(hub, project, { agents: 10, workMs: 60, items: 200 });
  for (const n of [1, 2]) {
    await until('work goes on', () => fleet.completed() > 60 * n);
    process.kill(readPidFile(join(hub.dataDir, 'postgres/data'))!.pid, 'SIGKILL');
    await until('it is gone', async () => (await request(hub, 'GET', '/readyz')).status === 503);
    await until('it is back', async () => (await request(hub, 'GET', '/readyz')).status === 200, 20_000);
  }
  await allWell(hub, project, fleet);
  for (const said of [
    'the database does not answer',
    'PostgreSQL died and is started again',
    'answers again',
  ])
    expect(hub.output()).toContain(said);
  expect(await hub.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(readPidFile(join(hub.dataDir, 'postgres/data'))).toBe(undefined);
}, 60_000);

test('[RS14] the disk is full: what is acknowledged is kept, the rest refused, and with room again all goes on', async () => {
  const disk = smallDisk(300);
  if ('refused' in disk) return console.warn(`NOT SHOWN ON THIS MACHINE: a full disk (${disk.refused})`);
  const hub = await startChildHub({ timing, dataDir: newDataDir(disk.folder) });
  const project = await newProject(hub);
  await newItems(hub, project, 300);
  const fleet = await startFleet(hub, project, { agents: 5, workMs: 100, items: 300 });
  await until('work goes on', () => fleet.completed() > 20);
  const stuffing = join(disk.folder, 'stuffing');
  const { bavail, bsize } = statfsSync(disk.folder);
  writeFileSync(stuffing, Buffer.alloc((bavail * bsize) / 2));
  const made = new Set<string>();
  const makeOne = async () => {
    // PostgreSQL would compress what repeats.
    const description = randomBytes(20_000).toString('hex');
    const create = {
      project: project.id,
      title: 'large',
      priority: 9,
      description,
      request_id: randomUUID(),
    };
    const answer = await call(hub, 'item.create', create);
    return made.add((answer as { item: Item }).item.id);
  };
  const tryOne = () =>
    makeOne().then(
      () => null,
      (error: { code: string }) => error.code,
    );
  const full = await until('it is refused', tryOne, 60_000);
  expect(full).toBe('UNAVAILABLE');
  expect((await request(hub, 'GET', '/healthz')).status).toBe(200);
  rmSync(stuffing);
  await persist(makeOne);
  const large = (await itemsOf(hub, project)).filter(({ title }) => title === 'large');
  const kept = new Set(large.map(({ id }) => id));
  expect([...made].filter((id) => !kept.has(id))).toEqual([]);
  const cancel = { action: 'cancel', filter: { q: 'large' }, request_id: randomUUID() } as const;
  await persist(() => call(hub, 'items.bulk', { project: project.id, ...cancel }));
  await allWell(hub, project, fleet);
}, 120_000);

test('[ID9] where the answer is lost on its way from the database, the request_id finds what was done, and nothing is done twice', async () => {
  const connection = await createDatabase();
  const proxy = await startProxy(connection);
  const hub = await startChildHub({ timing, databaseUrl: urlThrough(proxy, connection) });
  const lost = async <K extends CommandName>(name: K, input: CommandInput<K>, words: string) => {
    const wish = { ...input, request_id: randomUUID() };
    proxy.resetAfter(0, words);
    expect(await refusal(call(hub, name, wish)), name).toMatchObject({ code: 'UNAVAILABLE' });
    return persist(() => call(hub, name, wish));
  };
  const { project } = await lost('project.create', { name: 'made-once' }, 'made-once');
  expect((await call(hub, 'project.list', {})).projects).toEqual([project]);
  const description = 'changed once';
  const change = await lost('project.update', { project: project.id, description, version: 1 }, description);
  expect(change.project).toMatchObject({ description, version: 2, last_seq: 1 });
  expect(await call(hub, 'project.get', { project: project.id })).toEqual(change);
  const { token } = await lost('token.create', { role: 'viewer', label: 'made once' }, 'made once');
  const { tokens } = await call(hub, 'token.list', {});
  expect(tokens.filter(({ label }) => label === 'made once').map(({ id }) => id)).toEqual([token.id]);
  const end = { project: project.id, confirm: project.name };
  expect((await lost('project.delete', end, 'DELETE FROM projects')).project.id).toBe(project.id);
});

test('[RS15] where it is not known whether the next item was claimed, the end that asked for it does not say "none"', async () => {
  const connection = await createDatabase();
  const proxy = await startProxy(connection);
  const hub = await startChildHub({ timing, databaseUrl: urlThrough(proxy, connection) });
  const project = await newProject(hub);
  const [one, two] = await newItems(hub, project, 2);
  const agent = await connectAgent(hub, project.name, 'a');
  await agent.call('item.claim', { id: one!.id });
  const end = { id: one!.id, attempt: 1, result_summary: 'done', files_modified: [], claim_next: true };
  const asked = { ...end, request_id: randomUUID() };
  proxy.resetAfter(1, asked.request_id);
  expect(await refusal(agent.call('item.complete', asked))).toMatchObject({ code: 'UNAVAILABLE' });
  const answer = await persist(() => agent.call('item.complete', asked));
  expect(answer).toMatchObject({
    item: { status: 'done' },
    next: { claim: { item: { id: two!.id }, attempt: 1 } },
  });
});

test('[RS16] a project that somebody has locked holds up no other: their leases end, and their retries fall due', async () => {
  const database = await createDatabase();
  const hub = await startTestHub({ database, timing: { graceSeconds: 0.5 } });
  onTestFinished(() => hub.stop());
  const projects = await Promise.all(Array.from({ length: 8 }, () => newProject(hub)));
  const twoToComeBack = async (project: { id: string }) => {
    const [lapsing, failing] = await newItems(hub, project, 2, { max_attempts: 2 });
    await call(hub, 'item.claim', { id: lapsing!.id, agent_id: 'h', lease_seconds: 0.5 });
    await call(hub, 'item.claim', { id: failing!.id, agent_id: 'h' });
    await call(hub, 'item.fail', { id: failing!.id, agent_id: 'h', attempt: 1, failure_reason: 'no luck' });
  };
  const statusesIn = async (project: { id: string }) =>
    new Set((await itemsOf(hub, project)).map((item) => item.status));
  const sql = postgres({ ...database, max: 1 });
  onTestFinished(() => sql.end());
  await Promise.all(projects.map(twoToComeBack));
  const [locked, ...others] = projects;
  await sql`BEGIN`;
  await sql`SELECT 1 FROM projects WHERE id = ${locked!.id} FOR UPDATE`;
  // Some share a connection with it, and may wait for as long as a statement waits for a lock.
  const isBack = async (project: { id: string }) => {
    const statuses = await statusesIn(project);
    return statuses.size === 1 && statuses.has('todo');
  };
  await until(
    'all others are back',
    async () => (await Promise.all(others.map(isBack))).every((back) => back),
    20_000,
  );
  expect(await statusesIn(locked!)).toEqual(new Set(['claimed', 'failed']));
  await sql`ROLLBACK`;
  await until('it is back, too', () => isBack(locked!));
}, 40_000);

test('[RS17] a database that may only be read is UNAVAILABLE for what writes, and all goes on when it may be written', async () => {
  const database = await createDatabase();
  const hub = await startTestHub({ database });
  onTestFinished(() => hub.stop());
  const project = await newProject(hub);
  const sql = postgres({ ...database, max: 1, onnotice: () => {} });
  onTestFinished(() => sql.end());
  const readOnly = async (on: boolean) => {
    await sql.unsafe(`SET default_transaction_read_only = off`);
    await sql.unsafe(`ALTER DATABASE ${database.database} SET default_transaction_read_only = ${on}`);
    // As at a failover: those that there are go.
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`;
  };
  await readOnly(true);
  const wish = { project: project.id, title: 'one', request_id: randomUUID() };
  const refused = await until('it reads', () =>
    call(hub, 'item.list', { project: project.id }).then(
      () => refusal(call(hub, 'item.create', wish)),
      () => null,
    ),
  );
  expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
  expect(await refusal(call(hub, 'project.create', { name: 'never' }))).toMatchObject({
    code: 'UNAVAILABLE',
  });
  await readOnly(false);
  await persist(() => call(hub, 'item.create', wish));
  expect(await itemsOf(hub, project)).toMatchObject([{ title: 'one' }]);
});
