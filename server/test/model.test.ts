// A random walk over every command, on two hubs at once, and what its history must then say.
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import type { ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { fold, foldedFields, type Folded } from '../../agent/drill/fold.ts';
import {
  call,
  connect,
  connectAgent,
  newProject,
  startTestHub,
  type Client,
  type TestHub,
} from './setup/hub.ts';
import { itemsOf, logOf, newItems, violationsOf } from './setup/steps.ts';
import { until } from './setup/until.ts';

let hubs: [TestHub, TestHub];
beforeAll(async () => {
  const timing = { leaseSeconds: 20, graceSeconds: 0.3 };
  const first = await startTestHub({ timing });
  hubs = [first, await startTestHub({ timing, database: first.database })];
});
afterAll(() => Promise.all(hubs.map((hub) => hub.stop())));

/** Deterministic, so that a failure can be walked again: MODEL_SEED=… */
function randomFrom(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(all: readonly T[]) => all[Math.floor(next() * all.length)]!,
  };
}

const files = ['a.ts', 'b.ts', 'src/', 'src/c.ts', 'src/*.ts', 'lib/d.ts'];
const expected = new Set([
  'ALREADY_CLAIMED',
  'NOT_READY',
  'INVALID_TRANSITION',
  'CLAIM_LOST',
  'FILE_CONFLICT',
  'DEPENDENCY_CYCLE',
  'VERSION_MISMATCH',
  'VALIDATION',
]);

type Random = ReturnType<typeof randomFrom>;

/** One agent or operator, taking one random step after another; what is refused must be refused for a reason. */
class Walker {
  readonly codes = new Map<string, number>();
  readonly #random: Random;
  readonly #project: { id: string };
  readonly #ids: string[];
  readonly #clients: Client[];
  /** Attempts it knows of: its own claims, others' and those long over. */
  readonly #attempts: { id: string; attempt: number; client: Client }[] = [];

  constructor(random: Random, project: { id: string }, ids: string[], clients: Client[]) {
    this.#random = random;
    this.#project = project;
    this.#ids = ids;
    this.#clients = clients;
  }

  async step(): Promise<void> {
    const { next, below, pick } = this.#random;
    const client = pick(this.#clients);
    const id = pick(this.#ids);
    const mine = this.#attempts.length > 0 && next() < 0.9 ? pick(this.#attempts.slice(-6)) : null;
    const held = mine ? { id: mine.id, attempt: mine.attempt } : { id, attempt: 1 + below(3) };
    const agent = mine?.client ?? client;
    const some = files.slice(below(files.length), below(files.length) + 2);
    const plain = some.filter((file) => !file.includes('*'));
    const steps: [number, () => Promise<unknown>][] = [
      [8, () => this.#claim(client, () => client.call('item.claim_next', { project: this.#project.id }))],
      [6, () => this.#claim(client, () => client.call('item.claim', { id, files: some }))],
      [8, () => agent.call('item.complete', { ...held, result_summary: 'ok', files_modified: plain })],
      [
        3,
        () =>
          this.#claim(agent, async () => {
            const done = await agent.call('item.complete', {
              ...held,
              result_summary: 'ok',
              files_modified: [],
              claim_next: true,
            });
            return done.next!;
          }),
      ],
      [4, () => agent.call('item.fail', { ...held, failure_reason: 'no luck', retryable: next() < 0.5 })],
      [3, () => agent.call('item.release', held)],
      [4, () => agent.call('item.report_files', { ...held, files: plain })],
      [4, () => agent.call('item.heartbeat', { ...held, progress: below(100), note: `n${below(9)}` })],
      [
        3,
        () => client.call('item.cancel', { id, dependents: pick(['block', 'release', 'cancel'] as const) }),
      ],
      [5, () => client.call('item.retry', { id })],
      [4, () => this.#create(client)],
      [
        2,
        () =>
          client.call('item.update', { id, dependencies: [...new Set([pick(this.#ids), pick(this.#ids)])] }),
      ],
      [2, () => client.call('item.update', { id, parent_item_id: next() < 0.3 ? null : pick(this.#ids) })],
      [2, () => client.call('item.update', { id, files_planned: some, priority: below(10) })],
      [
        1,
        () =>
          client.call('item.update', {
            id,
            conflict_policy: pick(['warn', 'deny', null]),
            version: 1 + below(9),
          }),
      ],
      [
        1,
        () =>
          client.call('items.bulk', {
            project: this.#project.id,
            action: 'retry',
            filter: { status: ['failed'] },
          }),
      ],
      [
        1,
        () =>
          client.call('items.bulk', {
            project: this.#project.id,
            action: 'set_priority',
            priority: below(10),
            filter: { parent: 'none' },
          }),
      ],
      [
        1,
        () =>
          client.call('items.bulk', {
            project: this.#project.id,
            action: 'cancel',
            dependents: pick(['block', 'release', 'cancel'] as const),
            filter: { priority: below(10) },
          }),
      ],
    ];
    let at = next() * steps.reduce((sum, [weight]) => sum + weight, 0);
    const [, run] = steps.find(([weight]) => (at -= weight) < 0)!;
    await run().catch((error: Error & { code?: string }) => {
      const code = error.code ?? String(error);
      this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    });
  }

  async #claim(client: Client, ask: () => Promise<{ claim: null | { item: Item; attempt: number } }>) {
    const { claim } = await ask();
    if (claim) this.#attempts.push({ id: claim.item.id, attempt: claim.attempt, client });
  }

  async #create(client: Client): Promise<void> {
    const { below, pick, next } = this.#random;
    const { items } = (await client.call('item.create', {
      project: this.#project.id,
      items: [
        { ref: 'x', title: `made ${below(1_000)}`, files_planned: [pick(files)], max_attempts: 1 + below(3) },
        {
          title: 'made with links',
          dependencies: [...new Set(['x', pick(this.#ids)])],
          ...(next() < 0.5 ? { parent_item_id: pick(this.#ids) } : {}),
          metadata: { n: below(5) },
        },
      ],
    })) as { items: Item[] };
    this.#ids.push(...items.map((item) => item.id));
  }
}

test('[WT20] after any commands in any order on two hubs, log, items and what boards saw are one history', async () => {
  const seed = Number(process.env.MODEL_SEED ?? randomInt(2 ** 31));
  console.log(`MODEL_SEED=${seed}`);
  const random = randomFrom(seed);
  const project = await newProject(hubs[0]);
  const ids = (await newItems(hubs[0], project, 12, { files_planned: ['a.ts'] })).map((item) => item.id);
  const boards = await Promise.all(hubs.map((hub) => connect(hub)));
  const starts = await Promise.all(
    boards.map((board) => board.call<Snapshot>('project.watch', { project: project.id })),
  );
  const clients = await Promise.all(
    Array.from({ length: 6 }, (_, n) => connectAgent(hubs[n % 2]!, project.name, `a${n}`, { capacity: 3 })),
  );
  for (const client of clients)
    client.socket.on('claim.cancelled', (_: unknown, ack: () => void) => random.next() < 0.7 && ack());
  // Each walker's steps are the seed's; how they interleave is not.
  const walkers = Array.from(
    { length: 8 },
    (_, n) => new Walker(randomFrom(seed + n + 1), project, ids, n < 6 ? [clients[n]!] : clients),
  );
  await Promise.all(
    walkers.map(async (walker) => {
      for (let n = 0; n < 150; n++) await walker.step();
    }),
  );
  for (const walker of walkers)
    for (const code of walker.codes.keys()) expect(expected, `seed ${seed}: ${code}`).toContain(code);

  // The end of the work: agents leave, and what they held comes back.
  for (const client of clients) client.close();
  await until('nothing is held, and nothing falls due any more', async () => {
    const left = await itemsOf(hubs[0], project);
    return left.every((item) => item.status !== 'claimed' && item.retry_at === null);
  });
  const end = (await call(hubs[0], 'project.get', { project: project.id })).project.last_seq;
  expect(await violationsOf(hubs[1], project, 'stuck')).toEqual([]);

  const [events, items] = [await logOf(hubs[0], project), await itemsOf(hubs[0], project)];
  for (const [n, board] of boards.entries()) {
    const seen = () => board.all<ProjectEvent>('project.event');
    await until('the board has seen all', () => (seen().at(-1)?.seq ?? 0) >= end);
    expect(seen().map(({ item: _, ...event }) => event)).toEqual(
      events.filter((event) => event.seq > starts[n]!.seq && event.seq <= seen().at(-1)!.seq),
    );
  }
  // item.ready and blocked_by by their definition, from all items as they stand.
  const byId = new Map(items.map((item) => [item.id, item]));
  for (const item of items) {
    const blockers = [
      ...item.dependencies.filter((id) => byId.get(id)!.status !== 'done'),
      ...items
        .filter(
          (child) => child.parent_item_id === item.id && ['todo', 'claimed', 'failed'].includes(child.status),
        )
        .map((child) => child.id),
    ];
    expect([...item.blocked_by].sort()).toEqual([...new Set(blockers)].sort());
    expect([item.number, item.ready]).toEqual([item.number, item.status === 'todo' && blockers.length === 0]);
  }
  const folded = new Map<string, Folded>();
  for (const event of events)
    if (event.item_id !== null && event.type.startsWith('item.'))
      folded.set(event.item_id, fold(folded.get(event.item_id), event));
  const fieldsOf = (item: Folded) =>
    Object.fromEntries(
      foldedFields.map((field) => [field, field === 'blocked_by' ? [...item[field]].sort() : item[field]]),
    );
  for (const { id } of items) {
    const { item } = await call(hubs[1], 'item.get', { id });
    expect(fieldsOf(folded.get(id)!)).toEqual(fieldsOf(item));
  }
}, 60_000);

test('[WT21] an item that is both child and dependency of another stops being one without the other', async () => {
  const [hub] = hubs;
  const project = await newProject(hub);
  const [child, parent, elsewhere] = await newItems(hub, project, 3);
  const update = (id: string, patch: object) => call(hub, 'item.update', { id, ...patch });
  await update(parent!.id, { dependencies: [child!.id] });
  const told = async () =>
    (await logOf(hub, project)).findLast((event) => event.item_id === parent!.id)!.data;
  await update(child!.id, { parent_item_id: parent!.id });
  expect(await told()).toEqual({ blocked_by: [child!.id] });
  await update(child!.id, { parent_item_id: elsewhere!.id });
  expect(await told()).toEqual({ blocked_by: [child!.id] });
  await update(child!.id, { parent_item_id: parent!.id });
  await call(hub, 'item.cancel', { id: child!.id });
  expect(await told()).toMatchObject({ blocked_by: [child!.id], dependencies: [child!.id] });
  await call(hub, 'item.retry', { id: child!.id });
  expect(await told()).toEqual({ blocked_by: [child!.id] });
  await call(hub, 'item.claim', { id: child!.id, agent_id: 'a' });
  const end = { id: child!.id, agent_id: 'a', attempt: 1, result_summary: 'done', files_modified: [] };
  await call(hub, 'item.complete', end);
  expect(await told()).toEqual({ blocked_by: [] });
  expect((await call(hub, 'item.get', { id: parent!.id })).item.ready).toBe(true);
});

test('[WT22] a parent that got a child under its claim is finished with it at once, and the log knows', async () => {
  const [hub] = hubs;
  const project = await newProject(hub);
  const pairs = await newItems(hub, project, 20);
  const agent = await connectAgent(hub, project.name, 'a', { capacity: 20 });
  for (const { id } of pairs) await agent.call('item.claim', { id });
  for (let n = 0; n < pairs.length; n += 2)
    await call(hub, 'item.update', { id: pairs[n]!.id, parent_item_id: pairs[n + 1]!.id });
  await Promise.all(
    pairs.map(({ id }) =>
      agent.call('item.complete', { id, attempt: 1, result_summary: 'done', files_modified: [] }),
    ),
  );
  expect(await violationsOf(hub, project)).toEqual([]);
});
