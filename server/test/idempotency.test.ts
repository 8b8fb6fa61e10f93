import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { CommandName } from '@switchyard/shared/commands';
import type { Token } from '@switchyard/shared/project';
import {
  adminToken,
  call,
  connectAgent,
  createDatabase,
  newProject,
  refusal,
  request,
  startTestHub,
  type TestHub,
} from './setup/hub.ts';
import { until } from './setup/until.ts';
import { eventsOf, finish, get, httpAgent, make, makeAll, unchanged } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

type Input = Record<string, unknown>;
const send = (name: CommandName, input: Input, token = adminToken) =>
  call(hub, name as 'item.get', input as { id: string }, token) as unknown as Promise<Input>;

interface Case {
  name: CommandName;
  input: Input;
  /** The same command with other words. */
  other: Input;
  /** Makes the world go on in between, so that the command would now be answered otherwise. */
  moveOn?: () => Promise<unknown>;
}

const agent_id = 'a1';
const claimed = async (project: string) => {
  const { id } = await make(hub, project);
  await httpAgent(hub, agent_id).claim(id);
  return { id, agent_id, attempt: 1 };
};

const cases: Record<string, (project: string) => Promise<Case>> = {
  'project.create': async () => {
    const name = `n-${randomUUID()}`.slice(0, 30);
    return { name: 'project.create', input: { name }, other: { name: `${name}x` } };
  },
  'project.update': async (project) => ({
    name: 'project.update',
    input: { project, description: 'one', version: 1 },
    other: { project, description: 'two' },
    moveOn: () => call(hub, 'project.update', { project, description: 'three' }),
  }),
  'project.delete': async () => {
    const doomed = await newProject(hub);
    const input = { project: doomed.id, confirm: doomed.name };
    return { name: 'project.delete', input, other: { ...input, confirm: 'x' } };
  },
  'item.create of one': async (project) => ({
    name: 'item.create',
    input: { project, title: 'one' },
    other: { project, title: 'two' },
    moveOn: async () => {
      const { items } = await call(hub, 'item.list', { project });
      return finish(hub, items.at(-1)!.id);
    },
  }),
  'item.create of many': async (project) => ({
    name: 'item.create',
    input: {
      project,
      items: [
        { title: 'a', ref: 'a' },
        { title: 'b', dependencies: ['a'] },
      ],
    },
    other: { project, items: [{ title: 'a' }] },
  }),
  'item.update': async (project) => {
    const { id } = await make(hub, project);
    const moveOn = () => call(hub, 'item.update', { id, title: 'later' });
    return {
      name: 'item.update',
      input: { id, title: 'new', version: 1 },
      other: { id, title: 'else' },
      moveOn,
    };
  },
  'item.claim': async (project) => {
    const { id } = await make(hub, project);
    const moveOn = () => httpAgent(hub, agent_id).complete(id, 1);
    return { name: 'item.claim', input: { id, agent_id }, other: { id, agent_id, lease_seconds: 7 }, moveOn };
  },
  'item.claim_next': async (project) => {
    const [one] = await makeAll(hub, project, [{}, {}, {}]);
    return {
      name: 'item.claim_next',
      input: { project, agent_id },
      other: { project, agent_id, task_types: ['bug'] },
      moveOn: () => httpAgent(hub, agent_id).complete(one!.id, 1),
    };
  },
  'item.claim_next of nothing': async (project) => ({
    name: 'item.claim_next',
    input: { project, agent_id },
    other: { project, agent_id, task_types: ['bug'] },
    moveOn: () => make(hub, project),
  }),
  'item.heartbeat': async (project) => {
    const claim = await claimed(project);
    const moveOn = () => httpAgent(hub, agent_id).heartbeat(claim.id, 1, { progress: 90 });
    return {
      name: 'item.heartbeat',
      input: { ...claim, progress: 10 },
      other: { ...claim, progress: 11 },
      moveOn,
    };
  },
  'item.report_files': async (project) => {
    const claim = await claimed(project);
    const moveOn = () => httpAgent(hub, agent_id).files(claim.id, 1, ['z']);
    return {
      name: 'item.report_files',
      input: { ...claim, files: ['a'] },
      other: { ...claim, files: ['b'] },
      moveOn,
    };
  },
  'item.complete': async (project) => {
    const claim = await claimed(project);
    const input = { ...claim, result_summary: 'one' };
    return { name: 'item.complete', input, other: { ...input, result_summary: 'two' } };
  },
  'item.complete and next': async (project) => {
    const claim = await claimed(project);
    const [next] = await makeAll(hub, project, [{}, {}]);
    const input = { ...claim, result_summary: 'one', claim_next: true };
    const moveOn = () => httpAgent(hub, agent_id).complete(next!.id, 1);
    return { name: 'item.complete', input, other: { ...input, claim_next: false }, moveOn };
  },
  'item.complete and next of nothing': async (project) => {
    const input = { ...(await claimed(project)), result_summary: 'one', claim_next: true };
    const moveOn = () => make(hub, project);
    return { name: 'item.complete', input, other: { ...input, claim_next: false }, moveOn };
  },
  'item.fail': async (project) => {
    const claim = await claimed(project);
    const input = { ...claim, failure_reason: 'one' };
    const moveOn = () => call(hub, 'item.retry', { id: claim.id });
    return { name: 'item.fail', input, other: { ...input, failure_reason: 'two' }, moveOn };
  },
  'item.fail and next of nothing': async (project) => {
    const input = { ...(await claimed(project)), failure_reason: 'one', claim_next: {} };
    const moveOn = () => make(hub, project);
    return { name: 'item.fail', input, other: { ...input, failure_reason: 'two' }, moveOn };
  },
  'item.release': async (project) => {
    const claim = await claimed(project);
    const moveOn = () => httpAgent(hub, 'a2').claim(claim.id);
    return { name: 'item.release', input: claim, other: { ...claim, reason: 'x' }, moveOn };
  },
  'item.cancel': async (project) => {
    const { id } = await make(hub, project);
    const moveOn = () => call(hub, 'item.retry', { id });
    return { name: 'item.cancel', input: { id }, other: { id, reason: 'x' }, moveOn };
  },
  'item.retry': async (project) => {
    const { id } = await make(hub, project);
    const two = await make(hub, project);
    for (const one of [id, two.id]) await call(hub, 'item.cancel', { id: one });
    const moveOn = () => call(hub, 'item.cancel', { id });
    return { name: 'item.retry', input: { id }, other: { id: two.id }, moveOn };
  },
  'items.bulk': async (project) => {
    await makeAll(hub, project, [{}, {}, {}]);
    const input = { project, action: 'cancel', filter: {} };
    return { name: 'items.bulk', input, other: { ...input, reason: 'x' }, moveOn: () => make(hub, project) };
  },
  'token.revoke': async (project) => {
    const make = async () =>
      (await call(hub, 'token.create', { project, role: 'viewer', label: 'x' })).token.id;
    return { name: 'token.revoke', input: { id: await make() }, other: { id: await make() } };
  },
};
const names = Object.keys(cases);

test.each(names)('[ID1] %s, repeated, gets the same answer and changes nothing', async (which) => {
  const { id: project } = await newProject(hub);
  const { name, input, other, moveOn } = await cases[which]!(project);
  const request_id = randomUUID();
  const first = await send(name, { ...input, request_id });
  expect(await unchanged(hub, project, () => send(name, { ...input, request_id }))).toEqual(first);
  await moveOn?.();
  expect(await unchanged(hub, project, () => send(name, { ...input, request_id }))).toEqual(first);
  const misused = () => refusal(send(name, { ...other, request_id }));
  expect(await unchanged(hub, project, misused)).toMatchObject({
    code: 'VALIDATION',
    details: { issues: [{ path: 'request_id' }] },
  });
});

test.each(names)('[ID2] %s, sent five times at once, is done once and answered alike', async (which) => {
  const { id: project } = await newProject(hub);
  const { name, input } = await cases[which]!(project);
  const before = (await eventsOf(hub, project)).length;
  const request_id = randomUUID();
  const answers = await Promise.all(Array.from({ length: 5 }, () => send(name, { ...input, request_id })));
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  const events = (await eventsOf(hub, project)).slice(before);
  const twice = events.filter(
    (one, at) => events.findIndex((e) => e.type === one.type && e.item_id === one.item_id) !== at,
  );
  expect(twice).toEqual([]);
  if (name === 'item.claim_next' || name === 'item.complete') {
    expect(events.filter((event) => event.type === 'item.claimed').length).toBeLessThanOrEqual(1);
  }
});

test('[ID2] over a socket too, where repeats fall into one batch', async () => {
  const { id: project } = await newProject(hub);
  await makeAll(hub, project, [{}, {}, {}]);
  const agent = await connectAgent(hub, project, 'a1', { capacity: 10 });
  const request_id = randomUUID();
  const five = <T>(send: () => Promise<T>) => Promise.all(Array.from({ length: 5 }, send));
  const claims = await five(() => agent.call('item.claim_next', { project, request_id }));
  for (const claim of claims) expect(claim).toEqual(claims[0]);
  const { id } = claims[0]!.claim!.item;
  const input = { id, attempt: 1, result_summary: 'ok', claim_next: true, request_id: randomUUID() };
  const ends = await five(() => agent.call('item.complete', input));
  for (const end of ends) expect(end).toEqual(ends[0]);
  const types = (await eventsOf(hub, project)).map((event) => event.type);
  expect(types.filter((type) => type === 'item.claimed')).toHaveLength(2);
  expect(types.filter((type) => type === 'item.completed')).toHaveLength(1);
});

test('[ID3] a refusal is answered again as it was, also when it would go otherwise by now', async () => {
  const { id: project } = await newProject(hub);
  const [a, b] = await makeAll(hub, project, [{ ref: 'a' }, { dependencies: ['a'] }]);
  const agent = httpAgent(hub, 'a1');
  const request_id = randomUUID();
  const claim = () => refusal(agent.claim(b!.id, { request_id }));
  const first = await claim();
  expect(first).toMatchObject({ code: 'NOT_READY', details: { blocked_by: [a!.id] } });
  await finish(hub, a!.id);
  expect(await unchanged(hub, project, claim)).toEqual(first);
  expect((await agent.claim(b!.id, { request_id: randomUUID() })).claim.attempt).toBe(1);
});

test('[ID3] refusals of commands of every kind', async () => {
  const { id: project, name } = await newProject(hub);
  const item = await make(hub, project);
  await finish(hub, item.id);
  const tries: [CommandName, Input][] = [
    ['project.create', { name }],
    ['project.update', { project, description: 'x', version: 99 }],
    ['item.update', { id: item.id, title: 'x', version: 99 }],
    [
      'item.complete',
      { id: item.id, agent_id: 'finisher', attempt: 1, result_summary: 'x', claim_next: true },
    ],
    ['item.cancel', { id: item.id }],
    ['item.create', { project, title: 'x', dependencies: [randomUUID()] }],
    ['items.bulk', { project, action: 'cancel', filter: {}, expected_count: 99 }],
    ['token.revoke', { id: randomUUID() }],
  ];
  for (const [command, input] of tries) {
    const request_id = randomUUID();
    const again = () => refusal(send(command, { ...input, request_id }));
    const [first, ...others] = await unchanged(hub, project, async () => [await again(), await again()]);
    expect(others, command).toEqual([first]);
  }
});

test('[ID4] what the input itself is refused for is not held against its request_id', async () => {
  const { id: project } = await newProject(hub);
  const request_id = randomUUID();
  await refusal(send('item.create', { project, title: '', request_id }));
  expect(await send('item.create', { project, title: 'better', request_id })).toMatchObject({
    item: { number: 1 },
  });
});

test('[ID5] the same request_id of another caller is another request', async () => {
  const { id: project } = await newProject(hub);
  const request_id = randomUUID();
  await makeAll(hub, project, [{}, {}, {}, {}]);
  const { token } = await call(hub, 'token.create', { role: 'operator', label: 'second' });
  const claims = [
    await httpAgent(hub, 'a1').next(project, { request_id }),
    await httpAgent(hub, 'a2').next(project, { request_id }),
    await httpAgent(hub, 'a1', token.token).next(project, { request_id }),
  ];
  expect(claims.map(({ claim }) => claim!.item.number)).toEqual([1, 2, 3]);
  const agent = await connectAgent(hub, project, 'a1');
  const fourth = await agent.call('item.claim_next', { project, request_id });
  expect(fourth.claim!.item.number).toBe(4);
});

test('[ID5] a session keeps its request_ids over a reconnect', async () => {
  const { id: project } = await newProject(hub);
  const session_id = randomUUID();
  const first = await connectAgent(hub, project, 'a1', { session_id });
  await make(hub, project);
  const request_id = randomUUID();
  const { claim } = await first.call('item.claim_next', { project, request_id });
  first.close();
  const second = await connectAgent(hub, project, 'a1', { session_id });
  expect((await second.call('item.claim_next', { project, request_id })).claim).toEqual(claim);
});

test('[ID6] over HTTP the Idempotency-Key header is the request_id', async () => {
  const { id: project } = await newProject(hub);
  const path = `/api/projects/${project}/items`;
  const key = { 'idempotency-key': randomUUID() };
  const first = await request(hub, 'POST', path, { title: 'one' }, key);
  expect(first.status).toBe(201);
  const again = await request(hub, 'POST', path, { title: 'one' }, key);
  expect([again.status, again.body]).toEqual([201, first.body]);
  const byBody = await request(hub, 'POST', path, { title: 'one', request_id: key['idempotency-key'] });
  expect(byBody.body).toEqual(first.body);
  const both = await request(hub, 'POST', path, { title: 'one', request_id: 'another' }, key);
  expect(both.body.error).toMatchObject({
    code: 'VALIDATION',
    details: { issues: [{ path: 'request_id' }] },
  });
  const tooLong = await request(hub, 'POST', path, { title: 'one' }, { 'idempotency-key': 'k'.repeat(201) });
  expect(tooLong.body.error).toMatchObject({
    code: 'VALIDATION',
    details: { issues: [{ path: 'request_id' }] },
  });
  expect((await call(hub, 'item.list', { project })).total).toBe(1);
});

test('[ID6] what changes nothing takes no notice of the header, which clients send with every request', async () => {
  const { id: project } = await newProject(hub);
  const key = { 'idempotency-key': randomUUID() };
  const list = () => request(hub, 'GET', `/api/projects/${project}/items`, undefined, key);
  expect((await list()).body).toMatchObject({ total: 0 });
  await make(hub, project);
  expect((await list()).body).toMatchObject({ total: 1 });
  const files = { agent_id: 'a1', files: ['src/a.ts'] };
  const check = await request(hub, 'POST', `/api/projects/${project}/files/check`, files, key);
  expect([check.status, check.body]).toEqual([200, { conflicts: [] }]);
});

test('[ID7] a token repeated is made once, and its secret is in the first answer only', async () => {
  const { id: project } = await newProject(hub);
  const input = { project, role: 'viewer', label: 'once', request_id: randomUUID() };
  const answers = await Promise.all([1, 2, 3].map(() => send('token.create', input)));
  const tokens = answers.map((answer) => answer.token as Token & { token: string });
  expect(new Set(tokens.map(({ id }) => id)).size).toBe(1);
  expect(tokens.filter(({ token }) => token.startsWith('swy_'))).toHaveLength(1);
  const { tokens: all } = await call(hub, 'token.list', {});
  expect(all.filter(({ project_id }) => project_id === project)).toHaveLength(1);
});

test('[ID8] an end that is refused claims nothing for the one who asked', async () => {
  const { id: project } = await newProject(hub);
  const { id } = await make(hub, project);
  await httpAgent(hub, 'a1').claim(id);
  await httpAgent(hub, 'a1').complete(id, 1);
  const next = await make(hub, project);
  const late = httpAgent(hub, 'a1').complete(id, 1, { claim_next: true });
  expect(await refusal(late)).toMatchObject({ code: 'CLAIM_LOST', details: { reason: 'completed' } });
  expect(await get(hub, next.id)).toMatchObject({ status: 'todo', ready: true });
});

test('[ID10] what was answered more than a day ago is forgotten, however much it is, and nothing else', async () => {
  const database = await createDatabase();
  const hub = await startTestHub({ database, timing: { graceSeconds: 0.2 } });
  onTestFinished(() => hub.stop());
  const wish = { name: 'kept', request_id: randomUUID() };
  const first = await call(hub, 'project.create', wish);
  await hub.stop();
  const sql = postgres({ ...database, max: 1 });
  onTestFinished(() => sql.end());
  await sql`
    INSERT INTO requests (caller, request_id, fingerprint, answer, created_at)
    SELECT 'somebody', n::text, '', '{}', now() - interval '25 hours' FROM generate_series(1, 12000) AS n`;
  const again = await startTestHub({ database, timing: { graceSeconds: 0.2 } });
  onTestFinished(() => again.stop());
  await until('the old ones are gone', async () => {
    const [left] = await sql`SELECT count(*)::int AS count FROM requests WHERE caller = 'somebody'`;
    return left!.count === 0;
  });
  expect(await call(again, 'project.create', wish)).toEqual(first);
});
