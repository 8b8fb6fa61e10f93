import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, type CommandInput, type CommandName } from '@switchyard/shared/commands';
import { roles, type Role } from '@switchyard/shared/project';
import {
  call,
  connect,
  connectAgent,
  newProject,
  refusal,
  request,
  startTestHub,
  type TestHub,
} from './setup/hub.ts';
import { breakDown, httpAgent, make, refusedIn, unchanged } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

type TokenInput = Partial<CommandInput<'token.create'>>;
async function tokenOf(role: Role, more: TokenInput = {}) {
  const { token } = await call(hub, 'token.create', { role, label: `a ${role}`, ...more });
  return { secret: token.token, id: token.id };
}

/** An input of each command that a caller with all rights gets an answer to. */
const inputs: Record<CommandName, (project: string) => Promise<Record<string, unknown>>> = {
  'project.create': async () => ({ name: `n${randomUUID()}`.slice(0, 20) }),
  'project.list': async () => ({}),
  'project.get': async (project) => ({ project }),
  'project.update': async (project) => ({ project, description: 'x' }),
  'project.delete': async () => {
    const { id, name } = await newProject(hub);
    return { project: id, confirm: name };
  },
  'project.progress': async (project) => ({ project }),
  'project.conflicts': async (project) => ({ project }),
  'project.agents': async (project) => ({ project }),
  'project.events': async (project) => ({ project }),
  'item.create': async (project) => ({ project, title: 'x' }),
  'item.list': async (project) => ({ project }),
  'item.get': async (project) => ({ id: (await make(hub, project)).id }),
  'item.history': async (project) => ({ id: (await make(hub, project)).id }),
  'item.explain': async (project) => ({ id: (await make(hub, project)).id }),
  'item.graph': async (project) => ({ id: (await make(hub, project)).id }),
  'item.update': async (project) => ({ id: (await make(hub, project)).id, title: 'y' }),
  'item.claim': async (project) => ({ id: (await make(hub, project)).id, agent_id: 'a1' }),
  'item.claim_next': async (project) => ({ project, agent_id: 'a1' }),
  'item.heartbeat': (project) => held(project),
  'item.report_files': async (project) => ({ ...(await held(project)), files: ['a'] }),
  'item.check_files': async (project) => ({ project, agent_id: 'a1', files: ['a'] }),
  'item.complete': async (project) => ({ ...(await held(project)), result_summary: 'x' }),
  'item.fail': async (project) => ({ ...(await held(project)), failure_reason: 'x' }),
  'item.release': (project) => held(project),
  'item.cancel': async (project) => ({ id: (await make(hub, project)).id }),
  'item.retry': async (project) => {
    const { id } = await make(hub, project);
    await breakDown(hub, id);
    return { id };
  },
  'items.bulk': async (project) => ({ project, action: 'cancel', filter: {} }),
  'token.create': async (project) => ({ project, role: 'viewer', label: 'x' }),
  'token.list': async () => ({}),
  'token.revoke': async (project) => ({ id: (await tokenOf('viewer', { project })).id }),
};

async function held(project: string) {
  const { id } = await make(hub, project);
  await httpAgent(hub, 'a1').claim(id);
  return { id, agent_id: 'a1', attempt: 1 };
}

const names = Object.keys(commands) as CommandName[];

describe('[RO1] who may call what', () => {
  /** Written out again, so that the table of commands cannot widen a role unseen. */
  const least: Record<Role, string> = {
    viewer:
      'project.list project.get project.progress project.conflicts project.agents project.events item.list item.get item.history item.explain item.graph',
    agent:
      'item.create item.claim item.claim_next item.heartbeat item.report_files item.check_files item.complete item.fail item.release',
    operator:
      'project.create project.update project.delete item.update item.cancel item.retry items.bulk token.create token.list token.revoke',
  };
  const mayCall = (role: Role, name: CommandName) =>
    roles.slice(0, roles.indexOf(role) + 1).some((one) => least[one].split(' ').includes(name));
  const matrix = roles.flatMap((role) => names.map((name) => ({ role, name, may: mayCall(role, name) })));

  test('every command has a least role', () => {
    expect(Object.values(least).join(' ').split(' ').sort()).toEqual([...names].sort());
  });

  test.each(matrix)('$role, $name: $may', async ({ role, name, may }) => {
    const { id: project } = await newProject(hub);
    const { secret } = await tokenOf(role);
    const input = await inputs[name](project);
    const act = () => call(hub, name, input as never, secret);
    if (may) {
      const answer = await act();
      expect(commands[name].output.safeParse(answer).error).toBeUndefined();
      return;
    }
    expect(await refusedIn(hub, project, act)).toMatchObject({
      code: 'FORBIDDEN',
      details: { role, needs: commands[name].role },
    });
    const socket = await connect(hub, { token: secret });
    const overSocket = () => socket.call<never>(name, input);
    expect(await refusedIn(hub, project, overSocket)).toMatchObject({ code: 'FORBIDDEN' });
  });

  test.each(names)('nobody without a token calls %s', async (name) => {
    const { id: project } = await newProject(hub);
    const input = await inputs[name](project);
    const act = () => call(hub, name, input as never, 'swy_nobody');
    expect(await refusedIn(hub, project, act)).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

test('[RO2] a viewer watches, but does not connect as an agent; nor is a watcher’s heartbeat heard', async () => {
  const { id: project } = await newProject(hub);
  const { secret } = await tokenOf('viewer');
  const agent = connect(hub, { token: secret, project, agent_id: 'a1' });
  expect(await refusal(agent)).toMatchObject({ code: 'FORBIDDEN' });
  const watcher = await connect(hub, { token: secret });
  expect(await watcher.call<{ seq: number }>('project.watch', { project })).toMatchObject({ seq: 0 });
  expect(await refusal(watcher.call<never>('agent.heartbeat', { claims: [] }))).toMatchObject({
    code: 'FORBIDDEN',
  });
});

test('[RO3] an agent creates items that are to be done, but none that are over', async () => {
  const { id: project } = await newProject(hub);
  const { secret } = await tokenOf('agent');
  const create = (input: Record<string, unknown>) =>
    call(hub, 'item.create', { project, ...input } as CommandInput<'item.create'>, secret);
  for (const status of ['done', 'cancelled'])
    for (const input of [{ title: 'x', status }, { items: [{ title: 'x' }, { title: 'y', status }] }])
      expect(await refusedIn(hub, project, () => create(input))).toMatchObject({ code: 'FORBIDDEN' });
  expect(await create({ title: 'x', status: 'todo', agent_id: 'a7' })).toMatchObject({
    item: { status: 'todo' },
  });
  const { events } = await call(hub, 'project.events', { project });
  expect(events).toMatchObject([{ type: 'item.created', actor: 'a7' }]);
  const imported = await make(hub, project, { title: 'old', status: 'done', result_summary: 'long ago' });
  expect(imported).toMatchObject({ status: 'done', progress: 100, result_summary: 'long ago', attempt: 0 });
  expect(imported.completed_at).not.toBeNull();
});

describe('a token for one project', () => {
  test('[TK1] sees nothing of others: not their items, not their names, not that they are there', async () => {
    const own = await newProject(hub);
    const { id: other, name: otherName } = await newProject(hub);
    const { secret } = await tokenOf('operator', { project: own.name });
    const send = (name: CommandName, input: Record<string, unknown>) =>
      call(hub, name, input as never, secret);
    for (const name of names) {
      if (name === 'project.list' || name === 'token.list') continue;
      const input = await inputs[name](other);
      const error = await refusedIn(hub, other, () => send(name, input));
      const bound = name === 'project.create' || name === 'project.delete';
      expect(error, name).toMatchObject({ code: bound ? 'FORBIDDEN' : 'NOT_FOUND' });
    }
    expect(await refusal(send('project.get', { project: otherName }))).toMatchObject({ code: 'NOT_FOUND' });
    const { projects } = await call(hub, 'project.list', {}, secret);
    expect(projects.map((project) => project.id)).toEqual([own.id]);
  });

  test('[TK1] answers about another project’s item as about none at all', async () => {
    const own = await newProject(hub);
    const { id } = await make(hub, (await newProject(hub)).id);
    const { secret } = await tokenOf('operator', { project: own.id });
    const ghost = randomUUID();
    for (const name of names.filter((one) => commands[one].path.startsWith('/api/items/'))) {
      const input = { ...(await inputs[name](own.id)), id };
      const real = await refusal(call(hub, name, input as never, secret));
      const none = await refusal(call(hub, name, { ...input, id: ghost }, secret));
      expect(JSON.stringify(real).replaceAll(id, ghost), name).toBe(JSON.stringify(none));
    }
  });

  test('[TK1] neither watches nor joins another project', async () => {
    const own = await newProject(hub);
    const other = await newProject(hub);
    const { secret } = await tokenOf('operator', { project: own.id });
    const watcher = await connect(hub, { token: secret });
    const watch = (project: string) => watcher.call<never>('project.watch', { project });
    expect(await refusal(watch(other.id))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await watch(own.id)).toMatchObject({ seq: 0 });
    const join = (project: string) => connect(hub, { token: secret, project, agent_id: 'a1' });
    expect(await refusal(join(other.name))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await join(own.name)).socket.connected).toBe(true);
  });

  test('[TK2] makes, sees and revokes tokens of its project only', async () => {
    const own = await newProject(hub);
    const other = await newProject(hub);
    const { secret, id } = await tokenOf('operator', { project: own.id });
    const foreign = await tokenOf('viewer', { project: other.id });
    const global = await tokenOf('viewer');
    const create = (more: TokenInput) =>
      call(hub, 'token.create', { role: 'operator', label: 'child', ...more }, secret);
    for (const more of [{}, { project: null }, { project: own.name }])
      expect((await create(more)).token.project_id).toBe(own.id);
    expect(await refusal(create({ project: other.id }))).toMatchObject({ code: 'NOT_FOUND' });
    const { tokens } = await call(hub, 'token.list', {}, secret);
    expect(tokens.map((token) => token.project_id)).toEqual([own.id, own.id, own.id, own.id]);
    for (const token of [foreign, global, { id: randomUUID() }])
      expect(await refusal(call(hub, 'token.revoke', { id: token.id }, secret))).toMatchObject({
        code: 'NOT_FOUND',
      });
    await call(hub, 'token.revoke', { id }, secret);
    expect(await refusal(call(hub, 'token.list', {}, secret))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await call(hub, 'project.list', {}, global.secret)).projects.length).toBeGreaterThan(1);
  });

  test('[TK2] goes with its project', async () => {
    const { id: project, name } = await newProject(hub);
    const { secret } = await tokenOf('agent', { project });
    const agent = await connectAgent(hub, project, 'a1', { token: secret });
    await call(hub, 'project.delete', { project, confirm: name });
    expect(await refusal(call(hub, 'project.list', {}, secret))).toMatchObject({ code: 'UNAUTHENTICATED' });
    await disconnected(agent.socket);
  });
});

describe('a token bound to an agent', () => {
  test('[TK7] speaks for no other, whatever it says', async () => {
    const { id: project } = await newProject(hub);
    const { secret } = await tokenOf('operator', { project, agent_id: 'bound' });
    const item = await make(hub, project);
    const { claim } = await httpAgent(hub, 'other', secret).claim(item.id);
    expect(claim.item.assigned_agent_id).toBe('bound');
    const { events } = await call(hub, 'project.events', { project });
    expect(events.at(-1)).toMatchObject({ type: 'item.claimed', actor: 'bound' });
  });
});

const disconnected = (socket: {
  connected: boolean;
  once(event: 'disconnect', heard: () => void): unknown;
}) =>
  new Promise<void>((resolve) => {
    if (!socket.connected) resolve();
    else socket.once('disconnect', () => resolve());
  });

describe('the life of a token', () => {
  test('[TK3] its secret is random, long, with a prefix, and in its first answer only', async () => {
    const { id: project } = await newProject(hub);
    const made = [await tokenOf('viewer', { project }), await tokenOf('viewer', { project })];
    expect(new Set(made.map(({ secret }) => secret)).size).toBe(2);
    for (const { secret } of made) expect(secret).toMatch(/^swy_[\w-]{43}$/);
    const listed = await call(hub, 'token.list', {});
    const { token: revoked } = await call(hub, 'token.revoke', { id: made[1]!.id });
    const { events } = await call(hub, 'project.events', { project });
    const all = JSON.stringify([listed, revoked, events]);
    for (const { secret } of made) expect(all).not.toContain(secret);
    expect(listed.tokens.every((token) => !('token' in token) && !('hash' in token))).toBe(true);
  });

  test('[TK4] revoked, it is no good at once over HTTP, and its sockets are closed', async () => {
    const { id: project } = await newProject(hub);
    const { secret, id } = await tokenOf('agent');
    const watcher = await connect(hub, { token: secret });
    const agent = await connectAgent(hub, project, 'a1', { token: secret });
    const stays = await connectAgent(hub, project, 'a2');
    const { token } = await call(hub, 'token.revoke', { id });
    expect(token.revoked_at).not.toBeNull();
    expect(await refusal(call(hub, 'project.list', {}, secret))).toMatchObject({ code: 'UNAUTHENTICATED' });
    await Promise.all([disconnected(watcher.socket), disconnected(agent.socket)]);
    expect(await refusal(connect(hub, { token: secret }))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(stays.socket.connected).toBe(true);
    const again = await call(hub, 'token.revoke', { id });
    expect(again.token.revoked_at).toBe(token.revoked_at);
  });

  test('[TK5] past its end it is no good any more, and its sockets are closed', async () => {
    const expires_at = new Date(Date.now() + 1_500).toISOString();
    const { secret } = await tokenOf('viewer', { expires_at });
    const watcher = await connect(hub, { token: secret });
    await disconnected(watcher.socket);
    expect(await refusal(call(hub, 'project.list', {}, secret))).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('[TK6] none, a wrong one and a malformed one are refused alike', async () => {
    const answers = [];
    for (const authorization of [
      'Bearer swy_wrong',
      'Bearer ',
      'Basic YTpi',
      'swy_x',
      `Bearer ${'x'.repeat(500)}`,
      'Bearer a b',
    ])
      answers.push(await request(hub, 'GET', '/api/projects', undefined, { authorization }));
    for (const { status, body, headers } of answers) {
      expect([status, body.error?.code]).toEqual([401, 'UNAUTHENTICATED']);
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    const none = await fetch(`${hub.url}/api/projects`);
    expect(none.status).toBe(401);
    const anonymous = await refusal(connect(hub, { token: undefined }));
    expect(anonymous).toMatchObject({ code: 'UNAUTHENTICATED' });
    const inUrl = await fetch(`${hub.url}/api/projects?token=${hub.adminToken}`);
    expect(inUrl.status).toBe(401);
  });

  test('[TK6] only /healthz and /readyz, and the board’s files, are open', async () => {
    const open = ['/healthz', '/readyz'];
    const closed = ['/metrics', '/api/openapi.json', '/api/session', '/api/projects', '/api/tokens'];
    for (const path of [...open, ...closed]) {
      const { status } = await fetch(hub.url + path);
      expect([path, status]).toEqual([path, open.includes(path) ? 200 : 401]);
    }
  });
});

test('[TK8] what a caller may not see is not changed either', async () => {
  const own = await newProject(hub);
  const other = await newProject(hub);
  const item = await make(hub, other.id);
  const { secret } = await tokenOf('agent', { project: own.id });
  const create = () => make(hub, own.id, { dependencies: [item.id] });
  expect(await unchanged(hub, other.id, () => refusal(create()))).toMatchObject({ code: 'VALIDATION' });
  expect(await refusal(httpAgent(hub, 'a1', secret).claim(item.id))).toMatchObject({ code: 'NOT_FOUND' });
  const { agents } = await call(hub, 'project.agents', { project: other.id });
  expect(agents).toEqual([]);
});
