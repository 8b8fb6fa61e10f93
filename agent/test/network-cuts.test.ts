// A cut in the middle of a command, each way: before the hub saw it, and after it was done but before the answer came.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventType, Item } from '@switchyard/shared/item';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, getItem, newItems, violationsOf } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import type { HubClient } from '../client.ts';
import type { Handler, WorkContext } from '../work/context.ts';
import type { Worker } from '../work/options.ts';
import type { Proxy } from './proxy.ts';
import { agentOf, proxied, waiting, workOf } from './sdk.ts';

let hub: TestHub;
beforeAll(async () => {
  // No heartbeat comes by itself, so that what gets lost is the command that a test is about.
  hub = await startTestHub({ timing: { heartbeatSeconds: 30 } });
});
afterAll(() => hub.stop());

type Way = 'the request is lost' | 'the answer is lost';
const ways: Way[] = ['the request is lost', 'the answer is lost'];

/** Loses what goes one way; and once the command is on its way, and the hub has done it or not, cuts the connection. */
class Cut {
  readonly #proxy: Proxy;
  readonly #way: Way;

  constructor(proxy: Proxy, way: Way) {
    this.#proxy = proxy;
    this.#way = way;
    if (way === 'the request is lost') proxy.loseRequests();
    else proxy.loseAnswers();
  }

  /** `done` says whether the hub has done it. */
  async happen(done: () => Promise<boolean>): Promise<void> {
    if (this.#way === 'the answer is lost') await until('the hub has done it', done);
    await until('it is lost', () =>
      this.#proxy.lost(this.#way === 'the request is lost' ? 'requests' : 'answers'),
    );
    this.#proxy.cut();
  }
}

interface Scene {
  proxy: Proxy;
  client: HubClient;
  items: Item[];
  work: (handler: Handler) => Worker;
  /** What the log has of an item, by type. */
  logged: (type: EventType, item?: Item) => Promise<number>;
  /** Nothing that was done breaks a rule. */
  check: () => Promise<void>;
}

async function scene(count: number): Promise<Scene> {
  const project = await newProject(hub);
  const items = await newItems(hub, project, count);
  const proxy = await proxied(hub);
  const client = await agentOf(proxy, project);
  return {
    proxy,
    client,
    items,
    work: (handler) => workOf(client, handler),
    logged: async (type, item = items[0]!) => (await eventsOf(hub, item, type)).length,
    check: async () => expect(await violationsOf(hub, project)).toEqual([]),
  };
}

describe.each(ways)('%s', (way) => {
  test('of a claim: the item is claimed once, and worked on once', async () => {
    const { proxy, items, work, logged, check } = await scene(1);
    const cut = new Cut(proxy, way);
    let runs = 0;
    const worker = work(async () => void (runs += 1));
    await cut.happen(async () => (await logged('item.claimed')) === 1);
    await until('it is done', () => worker.stats.completed === 1);
    expect(await getItem(hub, items[0]!.id)).toMatchObject({ status: 'done', attempt: 1 });
    expect([runs, await logged('item.claimed'), await logged('item.completed')]).toEqual([1, 1, 1]);
    await check();
  });

  test('of progress: it is told, once', async () => {
    const { proxy, items, work, logged, check } = await scene(1);
    const handler = waiting<WorkContext>();
    const worker = work(async (context) => {
      handler.enter(context);
      await handler.go;
    });
    const context = await handler.began;
    const cut = new Cut(proxy, way);
    context.progress(40, 'half of it');
    await cut.happen(async () => (await getItem(hub, items[0]!.id)).progress === 40);
    await until('it is told', async () => (await getItem(hub, items[0]!.id)).progress_note === 'half of it');
    handler.letGo();
    await until('it is done', () => worker.stats.completed === 1);
    expect(await logged('item.progressed')).toBe(1);
    await check();
  });

  test('of reported files: they are told once, and answered', async () => {
    const { proxy, items, work, logged, check } = await scene(1);
    const handler = waiting<WorkContext>();
    const worker = work(async (context) => {
      handler.enter(context);
      await handler.go;
    });
    const context = await handler.began;
    const cut = new Cut(proxy, way);
    const reported = context.reportFiles(['src/a.ts']);
    await cut.happen(async () => (await logged('item.files_reported')) === 1);
    expect(await reported).toEqual([]);
    handler.letGo();
    await until('it is done', () => worker.stats.completed === 1);
    expect(await logged('item.files_reported')).toBe(1);
    expect((await getItem(hub, items[0]!.id)).files_modified).toEqual(['src/a.ts']);
    await check();
  });

  test('of a completion: it counts once, and brings the next claim once', async () => {
    const { proxy, items, work, logged, check } = await scene(2);
    const handler = waiting<WorkContext>();
    const done: number[] = [];
    const worker = work(async (context) => {
      handler.enter(context);
      await handler.go;
      done.push(context.item.number);
      return `Did ${context.item.title}`;
    });
    await handler.began;
    const cut = new Cut(proxy, way);
    handler.letGo();
    await cut.happen(async () => (await logged('item.completed')) === 1);
    await until('both are done', () => worker.stats.completed === 2);
    expect(done).toEqual([1, 2]);
    for (const item of items) {
      expect(await getItem(hub, item.id)).toMatchObject({ attempt: 1, result_summary: `Did ${item.title}` });
      expect([await logged('item.claimed', item), await logged('item.completed', item)]).toEqual([1, 1]);
    }
    expect(worker.stats).toMatchObject({ claimed: 2, completed: 2, lost: 0 });
    await check();
  });

  test('of a failure: it counts once', async () => {
    const { proxy, items, work, logged, check } = await scene(1);
    const handler = waiting<WorkContext>();
    const worker = work(async (context) => {
      handler.enter(context);
      await handler.go;
      throw new Error('no such table');
    });
    await handler.began;
    const cut = new Cut(proxy, way);
    handler.letGo();
    await cut.happen(async () => (await logged('item.failed')) === 1);
    await until('it failed', () => worker.stats.failed === 1);
    expect(await getItem(hub, items[0]!.id)).toMatchObject({
      failure_reason: 'no such table',
      failure_count: 1,
    });
    expect(await logged('item.failed')).toBe(1);
    await check();
  });
});
