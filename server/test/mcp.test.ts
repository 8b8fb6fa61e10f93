import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { connectMcp, giveUpThreeWaits } from './setup/mcp.ts';
import { until } from './setup/until.ts';
import { eventsOf, get, httpAgent, make, makeAll } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

function agentIn(project: string, agent: string) {
  return connectMcp(hub, { query: `?project=${project}&agent=${agent}` });
}

/** A project, and anna at work in it. */
async function anna() {
  const { name } = await newProject(hub);
  return { project: name, anna: await agentIn(name, 'anna') };
}

describe('tools', () => {
  test('[MC1] a whole life: create, ready, claim, files with a conflict, progress, complete', async () => {
    const { name } = await newProject(hub);
    const [anna, ben] = [await agentIn(name, 'anna'), await agentIn(name, 'ben')];
    const made = await anna.tool('create_items', {
      items: [
        { ref: 'schema', title: 'Write the schema', task_type: 'feature', priority: 1 },
        { title: 'Write the queries', dependencies: ['schema'] },
        { title: 'Say how to run it', parent_item_id: undefined },
      ],
    });
    expect(made.items?.map(({ number }) => number)).toEqual([1, 2, 3]);
    const ready = await anna.tool('ready_items');
    expect(ready).toMatchObject({ isError: false, total: 2, items: [{ number: 1 }, { number: 3 }] });
    expect(await anna.tool('claim_item')).toMatchObject({
      claim: { item: { number: 1 }, attempt: 1 },
      conflicts: [],
    });
    expect(await ben.tool('claim_item', { id: '#3' })).toMatchObject({ claim: { item: { number: 3 } } });
    await anna.tool('report_files', { id: 1, files: ['src/a.ts'] });
    const shared = await ben.tool('report_files', { id: '3', files: ['src/a.ts'] });
    expect(shared.conflicts).toMatchObject([
      { number: 1, agent_id: 'anna', conflicting_files: ['src/a.ts'] },
    ]);
    expect(shared.notices).toBeUndefined();
    const told = await anna.tool('update_progress', { id: '#1', progress: 50, note: 'tables done' });
    expect(told).toMatchObject({ item: { progress: 50 }, notices: [{ kind: 'conflict', number: 1 }] });
    expect(told.text).toContain('src/a.ts is now also being changed by ben (#3 Say how to run it)');
    const done = await anna.tool('complete_item', {
      id: 1,
      result_summary: 'Three tables',
      claim_next: true,
    });
    expect(done).toMatchObject({
      item: { status: 'done' },
      next: { claim: { item: { number: 2 }, attempt: 1 } },
    });
    expect(await get(hub, String(made.items?.[0]?.id))).toMatchObject({
      status: 'done',
      assigned_agent_id: 'anna',
      result_summary: 'Three tables',
      files_modified: ['src/a.ts'],
    });
  });

  test('[MC2] the list of tools costs a model little', async () => {
    const { anna: agent } = await anna();
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      'ready_items',
      'claim_item',
      'get_item',
      'report_files',
      'check_files',
      'update_progress',
      'complete_item',
      'fail_item',
      'release_item',
      'create_items',
      'wait_for_item',
    ]);
    expect(JSON.stringify({ tools }).length).toBeLessThan(6_000);
    expect(agent.client.getInstructions()!.length).toBeLessThanOrEqual(1_000);
  });

  test('[MC3] a refusal is a result that says code, message and details', async () => {
    const { project, anna: agent } = await anna();
    const { id } = await make(hub, project);
    await httpAgent(hub, 'ben').claim(id);
    const taken = await agent.tool('claim_item', { id });
    expect(taken).toMatchObject({
      isError: true,
      error: { code: 'ALREADY_CLAIMED', details: { holder: 'ben' } },
    });
    expect(taken.text).toMatch(/^ALREADY_CLAIMED: #1 is claimed by ben. Take another: claim_item\./);
    const bad = await agent.tool('create_items', { items: [{ title: '' }] });
    expect(bad.error).toMatchObject({ code: 'VALIDATION', details: { issues: [{ path: 'items.0.title' }] } });
    const unknown = await agent.tool('check_files', { files: ['a.ts'], colour: 'red' });
    expect(unknown.error?.code).toBe('VALIDATION');
    expect((await agent.tool('get_item', { id: '#77' })).error?.code).toBe('NOT_FOUND');
    expect((await agent.tool('claim_item', { id: 'the first' })).error?.code).toBe('VALIDATION');
    await expect(agent.tool('drop_items')).rejects.toThrow('no tool drop_items');
  });

  test('[MC3] what nobody holds, or another does, cannot be finished', async () => {
    const { project, anna: agent } = await anna();
    const [free, bens] = await makeAll(hub, project, [{}, {}]);
    await httpAgent(hub, 'ben').claim(bens!.id);
    for (const id of [free!.id, bens!.id]) {
      const refused = await agent.tool('complete_item', { id, result_summary: 'mine' });
      expect(refused).toMatchObject({ isError: true, error: { code: 'CLAIM_LOST' } });
      expect(refused.text).toContain('You do not hold');
    }
    expect(await get(hub, bens!.id)).toMatchObject({ status: 'claimed', assigned_agent_id: 'ben' });
  });

  test('[MC6] links of new items go by number, ref or id', async () => {
    const { project, anna: agent } = await anna();
    const first = await make(hub, project);
    const made = await agent.tool('create_items', {
      items: [
        { title: 'a child', parent_item_id: '#1', ref: '1' },
        { title: 'after both', dependencies: ['1', '#1'] },
      ],
    });
    const [child, after] = made.items!;
    expect(await get(hub, child!.id!)).toMatchObject({ parent_item_id: first.id });
    expect(await get(hub, after!.id!)).toMatchObject({ dependencies: [child!.id, first.id] });
  });

  test('[MC6] what names no item is told how items are named', async () => {
    const { anna: agent } = await anna();
    for (const id of ['twelve', 0, -1, undefined, null])
      expect((await agent.tool('get_item', { id })).error, String(id)).toMatchObject({
        code: 'VALIDATION',
        message: expect.stringContaining('give its number') as string,
      });
  });

  test('[MC1] an item that is too large is split, released, and comes back', async () => {
    const { project, anna: agent } = await anna();
    await make(hub, project);
    await agent.tool('claim_item', { id: '#1' });
    await agent.tool('create_items', { items: [{ title: 'half of it', parent_item_id: '#1' }] });
    expect(await agent.tool('release_item', { id: '#1', reason: 'split' })).toMatchObject({ isError: false });
    expect(await agent.tool('claim_item')).toMatchObject({ claim: { item: { number: 2 } } });
    const done = await agent.tool('complete_item', { id: '#2', result_summary: 'ok', claim_next: true });
    expect(done.next).toMatchObject({ claim: { item: { number: 1 }, attempt: 2 } });
    const failed = await agent.tool('fail_item', { id: 1, failure_reason: 'cannot', retryable: false });
    expect(failed).toMatchObject({ item: { number: 1, status: 'failed' } });
  });

  test('[MC1] before an edit, one may ask who works on a file', async () => {
    const { project, anna: agent } = await anna();
    const { id } = await make(hub, project, { files_planned: ['src/'] });
    await httpAgent(hub, 'ben').claim(id);
    expect((await agent.tool('check_files', { files: ['src/a.ts'] })).text).toContain(
      'src/a.ts: planned by ben (#1',
    );
    expect((await agent.tool('check_files', { files: ['docs/a.md'] })).conflicts).toEqual([]);
  });
});

describe('the fence', () => {
  test('[MC4] what comes after a lost claim is refused, though the agent has claimed the item anew elsewhere', async () => {
    const { project, anna: agent } = await anna();
    const { id } = await make(hub, project);
    await agent.tool('claim_item', { id });
    const elsewhere = httpAgent(hub, 'anna');
    await elsewhere.release(id, 1);
    expect((await elsewhere.claim(id)).claim.attempt).toBe(2);
    const late = await agent.tool('complete_item', { id: '#1', result_summary: 'late' });
    expect(late.error).toMatchObject({ code: 'CLAIM_LOST', details: { reason: 'released', attempt: 2 } });
    expect(await get(hub, id)).toMatchObject({ status: 'claimed', attempt: 2 });
  });

  test('[MC4] finishing twice is told as such', async () => {
    const { project, anna: agent } = await anna();
    await make(hub, project);
    await agent.tool('claim_item');
    await agent.tool('complete_item', { id: 1, result_summary: 'once' });
    const twice = await agent.tool('complete_item', { id: 1, result_summary: 'twice' });
    expect(twice.error).toMatchObject({ code: 'CLAIM_LOST', details: { reason: 'completed' } });
  });
});

describe('notices', () => {
  test('[MC5] a cancel comes with the next answer, whatever it is to, and the item has stopped then', async () => {
    const { project, anna: agent } = await anna();
    const { id } = await make(hub, project);
    await agent.tool('claim_item');
    await call(hub, 'item.cancel', { id, reason: 'not needed' });
    expect(await get(hub, id)).toMatchObject({ status: 'cancelled', stopping: true });
    const told = await agent.tool('ready_items');
    expect(told.notices).toMatchObject([{ kind: 'cancelled', number: 1 }]);
    expect(told.text).toContain('Notice: #1 was cancelled (not needed): stop work on it.');
    await until('the cancel is confirmed', async () => !(await get(hub, id)).stopping);
    expect(await eventsOf(hub, project, 'item.cancel_acknowledged')).toMatchObject([
      { actor: 'anna', attempt: 1 },
    ]);
    expect((await agent.tool('ready_items')).notices).toBeUndefined();
  });

  test('[MC5] also when the next call is about that item', async () => {
    const { project, anna: agent } = await anna();
    const { id } = await make(hub, project);
    await agent.tool('claim_item');
    await call(hub, 'item.cancel', { id });
    const refused = await agent.tool('update_progress', { id, progress: 50 });
    expect(refused).toMatchObject({
      isError: true,
      error: { code: 'CLAIM_LOST', details: { reason: 'cancelled' } },
      notices: [{ kind: 'cancelled' }],
    });
    await until('the cancel is confirmed', async () => !(await get(hub, id)).stopping);
  });

  test('[MC5] a conflict that begins and ends unseen is not told', async () => {
    const { project, anna: agent } = await anna();
    const ben = httpAgent(hub, 'ben');
    const [mine, his] = await makeAll(hub, project, [{ files_planned: ['src/a.ts'] }, {}]);
    await agent.tool('claim_item', { id: mine!.id });
    await ben.claim(his!.id);
    await ben.files(his!.id, 1, ['src/a.ts']);
    await ben.release(his!.id, 1);
    expect((await agent.tool('ready_items')).notices).toBeUndefined();
    await ben.claim(his!.id);
    const told = await agent.tool('ready_items');
    expect(told.notices).toMatchObject([
      { kind: 'conflict', message: expect.stringContaining('src/a.ts') as string },
    ]);
    await ben.complete(his!.id, 2);
    expect((await agent.tool('ready_items')).notices).toMatchObject([{ kind: 'conflict_resolved' }]);
  });

  test('[MC5] a lost lease comes with the next answer', async () => {
    const quick = await startTestHub({
      timing: { leaseSeconds: 0.4, graceSeconds: 0.1, heartbeatSeconds: 60 },
    });
    const { name } = await newProject(quick);
    const agent = await connectMcp(quick, { query: `?project=${name}&agent=anna` });
    const { id } = await make(quick, name);
    await agent.tool('claim_item', { id, lease_seconds: 0.2 });
    await until('the lease has ended', async () => (await get(quick, id)).status === 'todo');
    const told = await agent.tool('ready_items');
    expect(told.notices).toMatchObject([{ kind: 'lost', number: 1 }]);
    const late = await agent.tool('complete_item', { id, result_summary: 'late' });
    expect(late.error).toMatchObject({ code: 'CLAIM_LOST', details: { reason: 'lease_expired' } });
    await quick.stop();
  });
});

describe('wait_for_item', () => {
  test('[MC7] answers at once with what is ready, most urgent first, of the types asked for', async () => {
    const { project, anna: agent } = await anna();
    await makeAll(hub, project, [{}, { priority: 1 }, { task_type: 'docs' }]);
    expect((await agent.tool('wait_for_item')).item?.number).toBe(2);
    expect((await agent.tool('wait_for_item', { task_types: ['docs'] })).item?.number).toBe(3);
  });

  test('[MC7] wakes when an item is created, or comes free', async () => {
    const { project, anna: agent } = await anna();
    const waiting = agent.tool('wait_for_item', { wait_seconds: 20, task_types: ['bug'] });
    await make(hub, project, { task_type: 'docs' });
    const { id } = await make(hub, project, { task_type: 'bug' });
    expect((await waiting).item?.number).toBe(2);
    const ben = httpAgent(hub, 'ben');
    await ben.claim(id);
    const again = agent.tool('wait_for_item', { wait_seconds: 20, task_types: ['bug'] });
    await ben.release(id, 1);
    expect((await again).item?.number).toBe(2);
  });

  test('[MC7] is bounded, and says meanwhile that it waits', async () => {
    const { anna: agent } = await anna();
    expect(await agent.tool('wait_for_item', { wait_seconds: 0.2 })).toMatchObject({
      item: null,
      isError: false,
    });
    expect((await agent.tool('wait_for_item', { wait_seconds: 51 })).error?.code).toBe('VALIDATION');
    let heard = 0;
    await agent.tool('wait_for_item', { wait_seconds: 0.2 }, { onprogress: () => heard++ });
    expect(heard).toBe(1);
  });

  test('[MC7] ends when the client gives up: it is none of the three that an item wakes', async () => {
    const { project, anna: agent } = await anna();
    const ben = await agentIn(project, 'ben');
    await giveUpThreeWaits(agent);
    const next = ben.tool('wait_for_item', { wait_seconds: 3 });
    await ben.tool('ready_items');
    await make(hub, project);
    expect((await next).item?.number).toBe(1);
  });

  test('[MC7] one item does not wake everybody', async () => {
    const { project } = await anna();
    const all = await Promise.all(Array.from({ length: 5 }, (_, n) => agentIn(project, `waits-${n}`)));
    const waits = all.map((agent) => agent.tool('wait_for_item', { wait_seconds: 2 }));
    await all[4]!.tool('ready_items');
    await make(hub, project);
    const told = (await Promise.all(waits)).filter(({ item }) => item !== null);
    expect(told).toHaveLength(3);
  });
});
