import { afterAll, beforeAll, expect, test } from 'vitest';
import { commands, type CommandInput, type CommandOutput } from '@switchyard/shared/commands';
import { limits } from '@switchyard/shared/limits';
import type { Event } from '@switchyard/shared/item';
import { call, connectAgent, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { lengthenLog } from './setup/long-log.ts';
import { eventsOf, finish, hearAbout, httpAgent, make, makeAll, watch } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 0.2 } });
});
afterAll(() => hub.stop());

type Query = Omit<CommandInput<'project.events'>, 'project'>;
const read = (project: string, query: Query) => call(hub, 'project.events', { project, ...query });
const seqs = async (project: string, query: Query) =>
  (await read(project, query)).events.map((event) => event.seq);

/** All pages, each from where the last one ended. */
async function readBack(project: string, query: Query): Promise<Event[]> {
  const found: Event[] = [];
  let before: number | null = Number.MAX_SAFE_INTEGER;
  while (before !== null) {
    const page: CommandOutput<'project.events'> = await read(project, { ...query, before });
    expect(commands['project.events'].output.safeParse(page).error).toBeUndefined();
    found.push(...page.events);
    before = page.next_before ?? null;
  }
  return found;
}

test('[EV5] with before the newest lines come first, a page at a time, and not back past after', async () => {
  const { id } = await newProject(hub);
  await makeAll(
    hub,
    id,
    Array.from({ length: 7 }, () => ({})),
  );
  const page = await read(id, { before: 6, limit: 3 });
  expect([page.events.map((event) => event.seq), page.next_before, page.next_after]).toEqual([
    [5, 4, 3],
    3,
    5,
  ]);
  expect(await read(id, { before: 3, limit: 3 })).toMatchObject({ next_before: null, next_after: 2 });
  expect(await seqs(id, { before: 1_000 })).toEqual([7, 6, 5, 4, 3, 2, 1]);
  expect(await seqs(id, { before: 6, after: 3 })).toEqual([5, 4]);
  expect(await read(id, { before: 1 })).toEqual({ events: [], next_before: null, next_after: 0 });
  expect(await readBack(id, { limit: 2 })).toEqual((await eventsOf(hub, id)).reverse());
});

test('[EV6] filters by type, agent and item narrow together, either way', async () => {
  const { id } = await newProject(hub);
  const [one, two] = await makeAll(hub, id, [{}, {}]);
  await finish(hub, one!.id, 'anna');
  await httpAgent(hub, 'ben').claim(two!.id);
  const all = await eventsOf(hub, id);
  const those = (fits: (event: Event) => boolean) => all.filter(fits).map((event) => event.seq);
  expect(await seqs(id, { agent: 'anna' })).toEqual(those(({ actor }) => actor === 'anna'));
  expect(await seqs(id, { type: 'item.claimed,item.completed' })).toEqual(
    those(({ type }) => type === 'item.claimed' || type === 'item.completed'),
  );
  const ofTwo = those((event) => event.item_id === two!.id);
  expect(await seqs(id, { item: two!.id })).toEqual(ofTwo);
  expect(await seqs(id, { item: 2 })).toEqual(ofTwo);
  expect(await seqs(id, { item: 2, before: 1_000 })).toEqual(ofTwo.toReversed());
  expect(await seqs(id, { item: 2, agent: 'ben', type: ['item.claimed'] })).toEqual([all.at(-1)!.seq]);
  expect(await seqs(id, { item: 2, agent: 'anna' })).toEqual([]);
  expect(await read(id, { item: 99 })).toEqual({ events: [], next_after: all.length });
  const other = await make(hub, (await newProject(hub)).id);
  expect(await seqs(id, { item: other.id })).toEqual([]);
});

test('[EV6] what the hub, or an operator, did to the claim of an agent is of that agent', async () => {
  const { id } = await newProject(hub);
  const [one, two] = await makeAll(hub, id, [{}, {}]);
  const watcher = await watch(hub, id);
  const anna = await connectAgent(hub, id, 'anna', { capacity: 2 });
  await anna.call('item.claim', { id: one!.id });
  await anna.call('item.claim', { id: two!.id });
  await call(hub, 'item.cancel', { id: two!.id });
  anna.close();
  await hearAbout(watcher, 'item.requeued', one!.id);
  const types = (await readBack(id, { agent: 'anna' })).map((event) => event.type);
  expect(types).toEqual(expect.arrayContaining(['item.requeued', 'item.cancelled', 'agent.connected']));
  expect((await readBack(id, { agent: 'ben' })).length).toBe(0);
});

test('[EV7] a filter looks through a bounded part of the log, and says where to go on', async () => {
  const { id } = await newProject(hub);
  const item = await make(hub, id, { title: 'The first of many' });
  const length = limits.eventsScanMax + 10;
  await lengthenLog(hub, { id, last_seq: 1 }, length);
  const rare = { type: 'item.created' as const };
  const none = await read(id, { ...rare, before: length + 1 });
  expect(none).toEqual({ events: [], next_before: 11, next_after: length });
  expect((await read(id, { ...rare, before: 11 })).events.map((event) => event.item_id)).toEqual([item.id]);
  expect((await readBack(id, rare)).length).toBe(1);
  // Forwards as well.
  const { next_after } = await read(id, { ...rare, after: 1 });
  expect(next_after).toBe(1 + limits.eventsScanMax);
  expect(await read(id, { ...rare, after: next_after })).toEqual({ events: [], next_after: length });
  // Lines of an item have an index.
  expect(await read(id, { item: 1, before: length + 1 })).toMatchObject({
    events: [{ seq: 1 }],
    next_before: null,
  });
});
