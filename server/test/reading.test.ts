import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { itemSorts, type CommandInput } from '@switchyard/shared/commands';
import { commands } from '@switchyard/shared/commands';
import { statuses, type Item } from '@switchyard/shared/item';
import { call, connectAgent, newProject, refusal, startTestHub, type TestHub } from './setup/hub.ts';
import {
  breakDown,
  eventsOf,
  finish,
  get,
  hearAbout,
  httpAgent,
  make,
  makeAll,
  watch,
} from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { graceSeconds: 0.2 } });
});
afterAll(() => hub.stop());

const project = async () => (await newProject(hub)).id;
type Filter = Partial<CommandInput<'item.list'>>;
const list = (p: string, filter: Filter = {}) => call(hub, 'item.list', { project: p, ...filter });
const numbers = async (p: string, filter: Filter = {}) =>
  (await list(p, filter)).items.map((item) => item.number);

describe('item.list', () => {
  test('[LS1] filters by status, type, agent, priority, parent and readiness, one or several, and counts all that match', async () => {
    const p = await project();
    const [epic] = await makeAll(hub, p, [
      { ref: 'epic', title: 'epic' },
      { task_type: 'bug', parent_item_id: 'epic' },
      { task_type: 'docs', dependencies: ['epic'], priority: 2 },
      { task_type: 'bug' },
      {},
      {},
    ]);
    const items = (await list(p)).items;
    await httpAgent(hub, 'a1').claim(items[3]!.id);
    await breakDown(hub, items[4]!.id, 'a2');
    await finish(hub, items[5]!.id, 'a1');
    const expectations: [Filter, number[]][] = [
      [{}, [1, 2, 3, 4, 5, 6]],
      [{ status: 'todo' }, [1, 2, 3]],
      [{ status: ['claimed', 'failed'] }, [4, 5]],
      [{ status: 'done,failed' }, [5, 6]],
      [{ ready: true }, [2]],
      [{ ready: false, status: 'todo' }, [1, 3]],
      [{ task_type: 'bug' }, [2, 4]],
      [{ task_type: 'bug,docs', status: 'todo' }, [2, 3]],
      [{ agent: 'a1' }, [4, 6]],
      [{ agent: 'nobody' }, []],
      [{ priority: 2 }, [3]],
      [{ priority: '5', status: 'todo' }, [1, 2]],
      [{ parent: epic!.id }, [2]],
      [{ parent: 'none' }, [1, 3, 4, 5, 6]],
      [{ parent: randomUUID() }, []],
      [{ status: 'cancelled' }, []],
    ];
    for (const [filter, found] of expectations) {
      expect(await numbers(p, filter), JSON.stringify(filter)).toEqual(found);
      expect((await list(p, { ...filter, limit: 1 })).total, JSON.stringify(filter)).toBe(found.length);
    }
    const agent = await connectAgent(hub, p, 'a3');
    const overSocket = await agent.call('item.list', {
      project: p,
      status: ['todo'],
      ready: true,
      limit: 10,
    });
    expect(overSocket.items.map((item) => item.number)).toEqual([2]);
  });

  test('[LS2] searches words in title and description, whatever their case; % and _ are letters; #number is the item', async () => {
    const p = await project();
    await makeAll(hub, p, [
      { title: 'Fix the Parser', description: 'it fails on 100% of files' },
      { title: 'write_docs', description: null },
      { title: 'writeXdocs', description: 'for the parser' },
      { title: 'back\\slash', description: 'ÄÖ' },
      { title: 'see #2 about it' },
      { title: '12' },
    ]);
    const expectations: [string, number[]][] = [
      ['parser', [1, 3]],
      ['PARSER fix', [1]],
      ['the  parser', [1, 3]],
      ['100%', [1]],
      ['%', [1]],
      ['_', [2]],
      ['write_docs', [2]],
      ['\\', [4]],
      ['äö', [4]],
      ['#2', [2, 5]],
      ['2', [2, 5, 6]],
      ['#6', [6]],
      ['#999999999', []],
      ['#99999999999', []],
      ["'; --", []],
      ['nothing like it', []],
    ];
    for (const [q, found] of expectations) expect(await numbers(p, { q }), q).toEqual(found);
    expect(await numbers(p, { q: 'write', status: 'done' })).toEqual([]);
  });

  test('[LS6] number is the one item of that number, whatever others mention it', async () => {
    const p = await project();
    await makeAll(hub, p, [{ title: 'as in #2' }, { title: 'two' }, { title: 'after #2', task_type: 'bug' }]);
    expect(await numbers(p, { number: 2 })).toEqual([2]);
    expect(await numbers(p, { number: '2' })).toEqual([2]);
    expect(await numbers(p, { number: 2, task_type: 'bug' })).toEqual([]);
    expect(await numbers(p, { number: 4 })).toEqual([]);
    expect((await refusal(list(p, { number: 0 }))).code).toBe('VALIDATION');
  });

  test.each(itemSorts)('[LS3] sorted by %s, pages show every item once, in order', async (sort) => {
    const p = await project();
    const titles = ['b', 'B', 'a', 'ä', 'a', ' ', 'Z', '10', '9'].map((title) =>
      title === ' ' ? '-' : title,
    );
    const made = await makeAll(
      hub,
      p,
      titles.map((title, n) => ({
        title,
        priority: (n * 7) % 4,
        ...(n % 3 ? { task_type: 'abc'[n % 2]! } : {}),
      })),
    );
    const agent = httpAgent(hub, 'at-work');
    for (const [n, progress] of [66.6, 0.1, 7, 1e-7].entries()) {
      const { claim } = await agent.claim(made[2 * n]!.id);
      await agent.heartbeat(made[2 * n]!.id, claim.attempt, { progress });
    }
    for (const n of [4, 1, 7]) await call(hub, 'item.cancel', { id: made[n]!.id });
    await finish(hub, made[5]!.id, 'Ähnlich');
    await call(hub, 'item.update', { id: made[2]!.id, estimated_hours: 1 });
    await call(hub, 'item.update', { id: made[0]!.id, estimated_hours: 1 });
    const pages: Item[][] = [];
    let cursor: string | undefined;
    do {
      const page = await list(p, { sort, limit: 2, ...(cursor ? { cursor } : {}) });
      expect(page.total).toBe(9);
      pages.push(page.items);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    const all = pages.flat();
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2, 2, 1]);
    const key = sort.replace('-', '');
    const sign = sort.startsWith('-') ? -1 : 1;
    const of = (item: Item): [string | number, number] => [
      {
        number: item.number,
        priority: item.priority,
        updated: item.updated_at,
        completed: item.completed_at ?? '',
        title: item.title,
        status: statuses.indexOf(item.status),
        type: item.task_type ?? '',
        agent: item.assigned_agent_id ?? '',
        progress: item.progress ?? -1,
      }[key]!,
      item.number,
    ];
    const compare = (a: Item, b: Item) => {
      const [[ka, na], [kb, nb]] = [of(a), of(b)];
      return sign * (ka < kb ? -1 : ka > kb ? 1 : na - nb);
    };
    expect(all.map((item) => item.number)).toEqual([...all].sort(compare).map((item) => item.number));
    expect(new Set(all.map((item) => item.number)).size).toBe(9);
  });

  test('[LS4] items that come while one pages neither repeat nor hide another', async () => {
    const p = await project();
    await makeAll(
      hub,
      p,
      Array.from({ length: 10 }, () => ({ priority: 5 })),
    );
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await list(p, { sort: 'priority', limit: 3, ...(cursor ? { cursor } : {}) });
      seen.push(...page.items.map((item) => item.number));
      await makeAll(hub, p, [{ priority: 0 }, { priority: 4 }]);
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('[LS4] a cursor is for the sort it came with; the last page has none', async () => {
    const p = await project();
    await makeAll(hub, p, [{}, {}, {}]);
    const { next_cursor } = await list(p, { limit: 2 });
    expect(await refusal(list(p, { limit: 2, cursor: next_cursor!, sort: '-number' }))).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path: 'cursor' }] },
    });
    expect((await list(p, { limit: 3 })).next_cursor).toBeNull();
    expect(await list(await project())).toEqual({ items: [], next_cursor: null, total: 0 });
  });

  test('[LS5] every way to see an item shows the same item', async () => {
    const p = await project();
    const [a] = await makeAll(hub, p, [
      { ref: 'a', metadata: { x: [1, 'ü'] }, files_planned: ['a/'] },
      { dependencies: ['a'] },
    ]);
    await httpAgent(hub, 'a1').claim(a!.id);
    const one = await get(hub, a!.id);
    expect((await list(p)).items[0]).toEqual(one);
    expect((await call(hub, 'item.explain', { id: a!.id })).item).toEqual(one);
    const { claim } = await httpAgent(hub, 'a1').claim(a!.id);
    expect({ ...claim.item, lease_expires_at: null }).toEqual({ ...one, lease_expires_at: null });
    expect(commands['item.get'].output.safeParse({ item: one }).error).toBeUndefined();
  });
});

describe('item.explain', () => {
  const reasons = async (id: string) => {
    const { ready, reasons, holder } = await call(hub, 'item.explain', { id });
    expect(reasons.every((reason) => reason.message.length > 10)).toBe(true);
    return { ready, codes: reasons.map((reason) => reason.code), reasons, holder };
  };

  test('[EX1] says of an item that may be claimed that it may', async () => {
    const { id } = await make(hub, await project());
    expect(await reasons(id)).toMatchObject({ ready: true, codes: ['READY'], holder: undefined });
  });

  test('[EX2] says who holds it, whether they are there, their last sign of life, and when the lease ends', async () => {
    const p = await project();
    const [a, b] = await makeAll(hub, p, [{}, {}]);
    const agent = await connectAgent(hub, p, 'a1');
    const { claim } = await agent.call('item.claim', { id: a!.id });
    const { holder, codes, ready } = await reasons(a!.id);
    expect([codes, ready]).toEqual([['CLAIMED'], false]);
    expect(holder).toMatchObject({
      agent_id: 'a1',
      session_id: agent.ready!.session_id,
      connected: true,
      attempt: 1,
      lease_expires_at: claim.lease_expires_at,
    });
    await httpAgent(hub, 'a2').claim(b!.id);
    expect((await reasons(b!.id)).holder).toMatchObject({ agent_id: 'a2', connected: false });
  });

  test('[EX3] names everything that holds it back at once', async () => {
    const p = await project();
    const made = await makeAll(hub, p, [
      { ref: 'open' },
      { ref: 'failed' },
      { ref: 'cancelled' },
      { ref: 'all', dependencies: ['open', 'failed', 'cancelled'] },
      { parent_item_id: 'all' },
    ]);
    await breakDown(hub, made[1]!.id);
    await call(hub, 'item.cancel', { id: made[2]!.id });
    const { codes, ready } = await reasons(made[3]!.id);
    expect(ready).toBe(false);
    expect(codes).toEqual(['DEPENDENCY_OPEN', 'DEPENDENCY_FAILED', 'DEPENDENCY_CANCELLED', 'CHILD_OPEN']);
  });

  test('[EX4] says what ended it, and what would bring it back', async () => {
    const p = await project();
    const drafts = [{}, {}, {}, {}, { max_attempts: 3 }];
    const [done, failed, cancelled, stopping, hopeless] = await makeAll(hub, p, drafts);
    await finish(hub, done!.id);
    await breakDown(hub, failed!.id);
    await breakDown(hub, hopeless!.id);
    await call(hub, 'item.cancel', { id: cancelled!.id });
    await httpAgent(hub, 'a1').claim(stopping!.id);
    await call(hub, 'item.cancel', { id: stopping!.id });
    expect((await reasons(done!.id)).codes).toEqual(['DONE']);
    expect((await reasons(failed!.id)).codes).toEqual(['FAILED']);
    expect((await reasons(failed!.id)).reasons[0]!.message).toContain('no attempts remain');
    expect((await reasons(hopeless!.id)).reasons[0]!.message).toContain('would not help');
    expect((await reasons(cancelled!.id)).codes).toEqual(['CANCELLED']);
    expect((await reasons(stopping!.id)).codes).toEqual(['CANCELLED', 'STOPPING']);
  });

  test('[EX5] under policy deny, names the claims that it shares files with', async () => {
    const { id: p } = await newProject(hub, { conflict_policy: 'deny' });
    const [a, b] = await makeAll(hub, p, [{ files_planned: ['src/'] }, { files_planned: ['src/a.ts'] }]);
    await httpAgent(hub, 'a1').claim(a!.id);
    const { codes, ready, reasons: found } = await reasons(b!.id);
    expect([codes, ready]).toEqual([['FILE_CONFLICT'], false]);
    expect(found[0]).toMatchObject({
      conflict: { work_item_id: a!.id, agent_id: 'a1', conflicting_files: ['src/a.ts'] },
    });
    expect(await refusal(httpAgent(hub, 'a2').claim(b!.id))).toMatchObject({
      code: 'FILE_CONFLICT',
      details: {
        conflicts: [
          { work_item_id: a!.id, agent_id: 'a1', conflicting_files: ['src/a.ts'], kind: 'planned' },
        ],
      },
    });
  });
});

describe('item.history', () => {
  test('[EV1] tells every attempt: whose, from when to when, how it ended and why', async () => {
    const p = await project();
    const watcher = await watch(hub, p);
    const { id } = await make(hub, p, { max_attempts: 9 });
    const a1 = httpAgent(hub, 'a1');
    await a1.claim(id);
    await a1.release(id, 1, { reason: 'not mine' });
    await httpAgent(hub, 'a2').claim(id, { lease_seconds: 0.1 });
    await hearAbout(watcher, 'item.requeued', id);
    await a1.claim(id);
    await a1.fail(id, 3, { failure_reason: 'red' });
    await call(hub, 'item.retry', { id });
    const agent = await connectAgent(hub, p, 'a3');
    await agent.call('item.claim', { id });
    await call(hub, 'item.cancel', { id, reason: 'wait' });
    await call(hub, 'item.retry', { id });
    await a1.claim(id);
    const running = await call(hub, 'item.history', { id });
    expect(running.attempts.at(-1)).toMatchObject({ attempt: 5, outcome: 'running', ended_at: null });
    await a1.complete(id, 5);
    const { events, attempts } = await call(hub, 'item.history', { id });
    expect(
      attempts.map(({ attempt, agent_id, outcome, reason }) => [attempt, agent_id, outcome, reason]),
    ).toEqual([
      [1, 'a1', 'released', 'not mine'],
      [2, 'a2', 'lease_expired', 'lease_expired'],
      [3, 'a1', 'failed', 'red'],
      [4, 'a3', 'cancelled', 'wait'],
      [5, 'a1', 'completed', null],
    ]);
    expect(attempts[3]!.session_id).toBe(agent.ready!.session_id);
    for (const { started_at, ended_at } of attempts)
      expect(Date.parse(ended_at!)).toBeGreaterThanOrEqual(Date.parse(started_at));
    expect(events).toEqual((await eventsOf(hub, p)).filter((event) => event.item_id === id));
  });

  test('[EV1] of an item that nobody has claimed', async () => {
    const { id } = await make(hub, await project());
    const { events, attempts } = await call(hub, 'item.history', { id });
    expect([events.map((event) => event.type), attempts]).toEqual([['item.created'], []]);
  });
});

describe('project.events', () => {
  test('[EV2] come in order from after a seq on, a page at a time, without gaps', async () => {
    const p = await project();
    await makeAll(
      hub,
      p,
      Array.from({ length: 7 }, () => ({})),
    );
    const events = (after?: number, limit?: number) =>
      call(hub, 'project.events', {
        project: p,
        ...(after === undefined ? {} : { after }),
        ...(limit ? { limit } : {}),
      });
    const all = await events();
    expect(all.events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(all.next_after).toBe(7);
    const first = await events(0, 3);
    const second = await events(first.next_after, 3);
    const third = await events(second.next_after, 3);
    expect([first, second, third].map((page) => page.events.length)).toEqual([3, 3, 1]);
    expect([...first.events, ...second.events, ...third.events]).toEqual(all.events);
    expect(await events(7)).toEqual({ events: [], next_after: 7 });
    expect(await events(1_000)).toEqual({ events: [], next_after: 1_000 });
    expect(commands['project.events'].output.safeParse(all).error).toBeUndefined();
  });

  test('[EV3] the fold of the log is the items as they stand', async () => {
    const p = await project();
    const [a, b, c, d, e] = await makeAll(hub, p, [
      { ref: 'a', metadata: { k: 1 } },
      { ref: 'b', dependencies: ['a'] },
      { ref: 'c', parent_item_id: 'b', files_planned: ['x/'] },
      { ref: 'd', dependencies: ['a', 'c'], max_attempts: 9, estimated_hours: 2.5 },
      {},
    ]);
    const agent = httpAgent(hub, 'a1');
    await agent.claim(a!.id, { files: ['y'] });
    await agent.heartbeat(a!.id, 1, { progress: 12.5, note: 'n' });
    await agent.files(a!.id, 1, ['y', 'z']);
    await agent.complete(a!.id, 1, { files_modified: ['z', 'w'] });
    await agent.claim(c!.id);
    await agent.release(c!.id, 1);
    await call(hub, 'item.cancel', { id: c!.id, dependents: 'release', reason: 'r' });
    await call(hub, 'item.retry', { id: c!.id });
    await call(hub, 'item.update', {
      id: e!.id,
      title: 't',
      dependencies: [b!.id],
      parent_item_id: d!.id,
      metadata: {},
      files_planned: ['q'],
    });
    await call(hub, 'item.update', { id: c!.id, parent_item_id: null, priority: 2 });
    await agent.claim(d!.id).catch(() => {});
    await agent.claim(b!.id);
    await agent.fail(b!.id, 1);
    await call(hub, 'item.cancel', { id: b!.id, dependents: 'cancel' });
    await call(hub, 'items.bulk', { project: p, action: 'set_priority', filter: {}, priority: 1 });
    const folded = new Map<string, Record<string, unknown>>();
    for (const { type, item_id, data } of await eventsOf(hub, p)) {
      if (item_id === null || !type.startsWith('item.')) continue;
      const item = folded.get(item_id) ?? { ...unset };
      const { files_added, ...said } = data as { files_added?: string[] };
      const added = (files_added ?? []).filter((file) => !(item.files_modified as string[]).includes(file));
      folded.set(item_id, {
        ...item,
        ...said,
        files_modified: [...(item.files_modified as string[]), ...added],
      });
    }
    for (const item of (await list(p)).items) {
      const fold = folded.get(item.id)!;
      const told = Object.keys(unset).map((key) => [key, fold[key]]);
      const stands = Object.keys(unset).map((key) => [key, item[key as keyof Item]]);
      expect(told, `#${item.number}`).toEqual(stands);
    }
  });

  const unset = {
    number: 0,
    title: '',
    description: null,
    task_type: null,
    status: 'todo',
    priority: 5,
    parent_item_id: null,
    dependencies: [],
    blocked_by: [],
    files_planned: [],
    files_modified: [] as string[],
    conflict_policy: null,
    assigned_agent_id: null,
    assigned_at: null,
    session_id: null,
    attempt: 0,
    max_attempts: 1,
    failure_count: 0,
    lost_count: 0,
    progress: null,
    progress_note: null,
    stopping: false,
    retry_at: null,
    estimated_hours: null,
    result_summary: null,
    failure_reason: null,
    completed_at: null,
    metadata: {},
  };

  test('[EV4] a change of the project is in its log', async () => {
    const p = await project();
    await call(hub, 'project.update', { project: p, description: 'new', conflict_policy: 'deny' });
    const [event] = await eventsOf(hub, p);
    expect(event).toMatchObject({
      seq: 1,
      type: 'project.updated',
      actor: 'admin',
      item_id: null,
      data: { description: 'new', conflict_policy: 'deny' },
    });
    const { project: row } = await call(hub, 'project.get', { project: p });
    expect(row).toMatchObject({ last_seq: 1, version: 2, description: 'new', conflict_policy: 'deny' });
  });
});

describe('project.progress', () => {
  const progress = async (p: string) => (await call(hub, 'project.progress', { project: p })).progress;

  test('[PG1] of an empty project is nothing of nothing', async () => {
    expect(await progress(await project())).toEqual({
      total: 0,
      todo: 0,
      claimed: 0,
      done: 0,
      failed: 0,
      cancelled: 0,
      ready: 0,
      blocked: 0,
      percent: 0,
      finished_last_hour: 0,
      eta_seconds: 0,
      eta_at: expect.any(String) as string,
      parents: [],
    });
  });

  test('[PG2] counts by status, ready and blocked; cancelled items do not weigh', async () => {
    const p = await project();
    const made = await makeAll(hub, p, [{ ref: 'a' }, { dependencies: ['a'] }, {}, {}, {}, {}]);
    await httpAgent(hub, 'a1').claim(made[2]!.id);
    await finish(hub, made[3]!.id);
    await breakDown(hub, made[4]!.id);
    await call(hub, 'item.cancel', { id: made[5]!.id });
    expect(await progress(p)).toMatchObject({
      total: 6,
      todo: 2,
      claimed: 1,
      done: 1,
      failed: 1,
      cancelled: 1,
      ready: 1,
      blocked: 1,
      percent: 20,
      finished_last_hour: 1,
    });
    const { eta_seconds } = await progress(p);
    expect(eta_seconds).toBeGreaterThanOrEqual(0);
  });

  test('[PG3] is weighted by estimated hours, an item without one weighs 1, a claim counts by its progress', async () => {
    const p = await project();
    const [big, small, plain] = await makeAll(hub, p, [{ estimated_hours: 8 }, { estimated_hours: 1 }, {}]);
    await finish(hub, small!.id);
    expect(await progress(p)).toMatchObject({ percent: 10 });
    const agent = httpAgent(hub, 'a1');
    await agent.claim(big!.id);
    await agent.heartbeat(big!.id, 1, { progress: 25 });
    expect(await progress(p)).toMatchObject({ percent: 30 });
    await agent.release(big!.id, 1);
    expect(await progress(p)).toMatchObject({ percent: 10 });
    await finish(hub, big!.id);
    await finish(hub, plain!.id);
    expect(await progress(p)).toMatchObject({ percent: 100, eta_seconds: 0 });
  });

  test('[PG3] where every estimate is 0 hours, items count alike', async () => {
    const p = await project();
    const [a] = await makeAll(hub, p, [{ estimated_hours: 0 }, { estimated_hours: 0 }]);
    await finish(hub, a!.id);
    expect(await progress(p)).toMatchObject({ percent: 50 });
  });

  test('[PG3] estimates and progress too small to matter do no harm', async () => {
    const p = await project();
    const [begun, brief] = await makeAll(hub, p, [
      { estimated_hours: 1_000_000 },
      { estimated_hours: 1e-9 },
      { estimated_hours: 5e-324 },
    ]);
    const agent = httpAgent(hub, 'a1');
    await agent.claim(begun!.id);
    await agent.heartbeat(begun!.id, 1, { progress: 5e-324 });
    await finish(hub, brief!.id);
    const { progress } = await call(hub, 'project.progress', { project: p });
    expect(progress).toMatchObject({ percent: 0, finished_last_hour: 1, eta_seconds: null, eta_at: null });
  });

  test('[PG4] the same for the children of each parent', async () => {
    const p = await project();
    const [one, two, child] = await makeAll(hub, p, [
      { ref: 'one', title: 'one' },
      { ref: 'two', title: 'two' },
      { parent_item_id: 'one' },
      { parent_item_id: 'one' },
      { parent_item_id: 'two' },
    ]);
    await finish(hub, child!.id);
    expect((await progress(p)).parents).toMatchObject([
      { item_id: one!.id, number: 1, title: 'one', total: 2, done: 1, todo: 1, percent: 50 },
      { item_id: two!.id, number: 2, title: 'two', total: 1, done: 0, todo: 1, percent: 0 },
    ]);
    expect((await progress(p)).total).toBe(5);
  });
});

test('[PG5] project.agents shows who is there, and what they hold and have done', async () => {
  const p = await project();
  const [a, b] = await makeAll(hub, p, [{ title: 'first' }, {}, {}]);
  const agent = await connectAgent(hub, p, 'a1', { capacity: 2, task_types: ['bug'] });
  await agent.call('item.claim', { id: a!.id });
  await agent.call('item.heartbeat', { id: a!.id, attempt: 1, progress: 5 });
  await httpAgent(hub, 'a2').claim(b!.id);
  await connectAgent(hub, p, 'a3');
  await finish(hub, (await make(hub, p)).id, 'a2');
  const { agents } = await call(hub, 'project.agents', { project: p });
  expect(agents).toMatchObject([
    {
      agent_id: 'a1',
      state: 'working',
      connected: true,
      channel: 'socket',
      capacity: 2,
      task_types: ['bug'],
      claims: [{ item_id: a!.id, number: 1, title: 'first', attempt: 1, progress: 5 }],
    },
    { agent_id: 'a3', state: 'idle', connected: true, claims: [] },
    {
      agent_id: 'a2',
      state: 'working',
      connected: false,
      channel: 'http',
      completed_count: 1,
      claims: [{ number: 2 }],
    },
  ]);
  expect(commands['project.agents'].output.safeParse({ agents }).error).toBeUndefined();
});
