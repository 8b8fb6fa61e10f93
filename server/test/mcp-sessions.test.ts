import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandInput } from '@switchyard/shared/commands';
import { adminToken, call, newProject, request, startTestHub, type TestHub } from './setup/hub.ts';
import { connectMcp, type McpClient } from './setup/mcp.ts';
import { until } from './setup/until.ts';
import { get, make, makeAll } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { heartbeatSeconds: 0.1, graceSeconds: 0.1 } });
});
afterAll(() => hub.stop());

async function newToken(more: Partial<CommandInput<'token.create'>>) {
  return (await call(hub, 'token.create', { role: 'agent', label: 'test', ...more })).token;
}

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
const accepted = { accept: 'application/json, text/event-stream' };
const post = (body: unknown, headers: Record<string, string> = {}, at = hub) =>
  request(at, 'POST', '/mcp', body, { ...accepted, ...headers });

/** An MCP session without the SDK's client; the answer to `initialize` is an event stream. */
async function openRaw(at = hub, token = adminToken): Promise<string> {
  const response = await fetch(`${at.url}/mcp`, {
    method: 'POST',
    headers: { ...accepted, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(initialize),
  });
  expect(await response.text()).toContain('serverInfo');
  return response.headers.get('mcp-session-id')!;
}

const sessionOf = ({ transport }: McpClient) => (transport as StreamableHTTPClientTransport).sessionId!;

describe('who a client is', () => {
  test('[MC8] two that give no name are two agents, though their token is the same', async () => {
    const { name } = await newProject(hub);
    const items = await makeAll(hub, name, [{}, {}]);
    for (const { id } of items) {
      const client = await connectMcp(hub, { query: `?project=${name}`, name: 'Claude Code' });
      await client.tool('claim_item', { id });
    }
    const holders = await Promise.all(items.map(async ({ id }) => (await get(hub, id)).assigned_agent_id));
    expect(holders[0]).toMatch(/^claude-code-[a-z0-9]{5}$/);
    expect(holders[1]).toMatch(/^claude-code-[a-z0-9]{5}$/);
    expect(holders[0]).not.toBe(holders[1]);
  });

  test('[MC8] the token says it, else the address, else the headers', async () => {
    const { name, id: project } = await newProject(hub);
    const { name: other } = await newProject(hub);
    const items = await makeAll(hub, name, [{}, {}]);
    const headers = { 'switchyard-project': other, 'switchyard-agent': 'carl' };
    const bound = await newToken({ project, agent_id: 'anna' });
    const byToken = await connectMcp(hub, {
      token: bound.token,
      query: `?project=${other}&agent=ben`,
      headers,
    });
    const byAddress = await connectMcp(hub, { query: `?project=${name}&agent=ben`, headers });
    const byHeaders = await connectMcp(hub, { headers });
    await byToken.tool('claim_item');
    await byAddress.tool('claim_item');
    await make(hub, other, { title: 'elsewhere' });
    expect((await byHeaders.tool('ready_items')).items).toMatchObject([{ title: 'elsewhere' }]);
    const holders = await Promise.all(items.map(async ({ id }) => (await get(hub, id)).assigned_agent_id));
    expect(holders).toEqual(['anna', 'ben']);
  });

  test('[MC8] where nothing says the project, each call does, unless there is only one', async () => {
    const { name } = await newProject(hub);
    await newProject(hub);
    await make(hub, name);
    const client = await connectMcp(hub);
    const { tools } = await client.client.listTools();
    expect(Object.keys(tools[0]!.inputSchema.properties!)).toContain('project');
    const asked = await client.tool('ready_items');
    expect(asked.error).toMatchObject({ code: 'VALIDATION', details: { issues: [{ path: 'project' }] } });
    expect(asked.text).toContain(name);
    expect((await client.tool('ready_items', { project: name })).total).toBe(1);
    const nowhere = await connectMcp(hub, { query: '?project=nowhere' });
    expect((await nowhere.tool('ready_items')).error?.code).toBe('NOT_FOUND');

    const lonely = await startTestHub();
    const { name: only } = await newProject(lonely);
    await make(lonely, only);
    const inOnly = await connectMcp(lonely);
    expect(JSON.stringify(await inOnly.client.listTools())).not.toContain('"project"');
    expect((await inOnly.tool('claim_item', { id: '#1' })).claim?.item.number).toBe(1);
    await lonely.stop();
  });
});

describe('who may come in', () => {
  test('[MC9] a viewer looks, and claims nothing', async () => {
    const { name } = await newProject(hub);
    const { id } = await make(hub, name);
    const { token } = await newToken({ role: 'viewer' });
    const viewer = await connectMcp(hub, { token, query: `?project=${name}` });
    expect((await viewer.tool('ready_items')).total).toBe(1);
    expect((await viewer.tool('get_item', { id })).item?.number).toBe(1);
    for (const refused of [
      await viewer.tool('claim_item', { id }),
      await viewer.tool('complete_item', { id, result_summary: 'x' }),
      await viewer.tool('create_items', { items: [{ title: 'x' }] }),
    ])
      expect(refused.error?.code).toBe('FORBIDDEN');
  });

  test('[MC9] what is out of a token’s project does not exist for it', async () => {
    const [mine, other] = [await newProject(hub), await newProject(hub)];
    const { id } = await make(hub, other.name);
    const { token } = await newToken({ project: mine.id });
    const client = await connectMcp(hub, { token });
    expect((await client.tool('get_item', { id })).error?.code).toBe('NOT_FOUND');
    expect((await client.tool('ready_items', { project: other.name })).total).toBe(0);
  });

  test('[MC9] without a good bearer token nobody does, and a cookie is none', async () => {
    expect((await post(initialize, { authorization: 'Bearer swy_wrong' })).status).toBe(401);
    const cookie = { cookie: `switchyard_session=${adminToken}`, origin: hub.url };
    const response = await fetch(`${hub.url}/mcp`, {
      method: 'POST',
      headers: { ...accepted, ...cookie, 'content-type': 'application/json' },
      body: JSON.stringify(initialize),
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect((await request(hub, 'GET', '/.well-known/oauth-protected-resource')).status).toBe(404);
  });

  test('[MC9] a foreign page is refused', async () => {
    expect((await post(initialize, { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('[MC9] a session of another token is none, and what opens none is told so', async () => {
    const client = await connectMcp(hub);
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    const headers = { 'mcp-session-id': sessionOf(client) };
    const { token } = await newToken({ role: 'operator' });
    expect((await post(list, { ...headers, authorization: `Bearer ${token}` })).status).toBe(404);
    expect((await post(list, { 'mcp-session-id': 'unknown' })).status).toBe(404);
    expect((await post(list)).status).toBe(400);
    expect((await request(hub, 'POST', '/mcp', '{"jsonrpc":')).status).toBe(400);
  });

  test('[MC9] once the token is revoked, its session and its stream are over', async () => {
    const { token, id } = await newToken({});
    const session = await openRaw(hub, token);
    const headers = {
      authorization: `Bearer ${token}`,
      'mcp-session-id': session,
      accept: 'text/event-stream',
    };
    const stream = await fetch(`${hub.url}/mcp`, { headers });
    expect(stream.status).toBe(200);
    await call(hub, 'token.revoke', { id });
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(ping, headers)).status).toBe(401);
    await stream.text(); // it ends
  });
});

describe('signs of life', () => {
  const leaseOf = async (id: string) => Date.parse((await get(hub, id)).lease_expires_at ?? '');

  test('[MC10] a claim lives while its client is connected, and no longer', async () => {
    const { name } = await newProject(hub);
    const { id } = await make(hub, name);
    const client = await connectMcp(hub, { query: `?project=${name}` });
    const { claim } = await client.tool('claim_item', { id, lease_seconds: 0.8 });
    const past = Date.parse(claim!.lease_expires_at) + 800;
    await until('it has outlived two leases', async () => (await leaseOf(id)) > past);
    await client.client.close();
    await until('the item is back', async () => (await get(hub, id)).status === 'todo');
  });

  test('[MC10] where nobody listens a claim lives for half an hour from any call', async () => {
    const { name } = await newProject(hub);
    const [one, two] = await makeAll(hub, name, [{}, {}]);
    const client = await connectMcp(hub, { query: `?project=${name}`, deaf: true });
    const { claim } = await client.tool('claim_item', { id: one!.id });
    const first = Date.parse(claim!.lease_expires_at);
    expect(first - Date.now()).toBeGreaterThan(1_700_000);
    await until('another call has renewed it', async () => {
      await client.tool('ready_items');
      return (await leaseOf(one!.id)) > first;
    });
    const done = await client.tool('complete_item', { id: one!.id, result_summary: 'ok', claim_next: true });
    expect(done.next?.claim?.item.id).toBe(two!.id);
    expect((await leaseOf(two!.id)) - Date.now()).toBeGreaterThan(1_700_000);
  });
});

describe('coming back', () => {
  test('[MC11] a named agent finds what it held, and what was cancelled', async () => {
    const { name } = await newProject(hub);
    const [kept, cancelled] = await makeAll(hub, name, [{}, {}]);
    const query = `?project=${name}&agent=anna`;
    const before = await connectMcp(hub, { query });
    for (const { id } of [kept!, cancelled!]) await before.tool('claim_item', { id });
    await (before.transport as StreamableHTTPClientTransport).terminateSession();
    await call(hub, 'item.cancel', { id: cancelled!.id });
    const after = await connectMcp(hub, { query });
    const told = await after.tool('ready_items');
    expect(told.notices).toMatchObject([
      { kind: 'held', number: 1, attempt: 1 },
      { kind: 'cancelled', number: 2 },
    ]);
    await until('the cancel is confirmed', async () => !(await get(hub, cancelled!.id)).stopping);
    const done = await after.tool('complete_item', { id: 1, result_summary: 'ok' });
    expect(done.item?.status).toBe('done');
  });

  test('[MC11] what another client of that name speaks for is left to it', async () => {
    const { name } = await newProject(hub);
    await make(hub, name);
    const query = `?project=${name}&agent=anna`;
    const [first, second] = [await connectMcp(hub, { query }), await connectMcp(hub, { query })];
    await first.tool('claim_item');
    const third = await connectMcp(hub, { query });
    for (const other of [second, third]) {
      const refused = await other.tool('complete_item', { id: 1, result_summary: 'not mine' });
      expect(refused.error?.code).toBe('CLAIM_LOST');
    }
    expect((await first.tool('complete_item', { id: 1, result_summary: 'ok' })).isError).toBe(false);
  });

  test('[MC11] at the bound, who was quiet for longest and listens to nothing goes', async () => {
    const crowded = await startTestHub();
    const quiet = await openRaw(crowded);
    const listening = await connectMcp(crowded);
    for (let opened = 2; opened < 1_000; opened += 50)
      await Promise.all(Array.from({ length: 50 }, () => openRaw(crowded)));
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(ping, { 'mcp-session-id': quiet }, crowded)).status).toBe(404);
    expect((await listening.client.listTools()).tools.length).toBe(11);
    await crowded.stop();
  });
});

describe('hubs', () => {
  test('[MC11] another hub on the database knows no session of this one, and its news arrive all the same', async () => {
    const second = await startTestHub({ database: hub.database });
    const { name } = await newProject(hub);
    const { id } = await make(hub, name);
    const client = await connectMcp(hub, { query: `?project=${name}&agent=anna` });
    await client.tool('claim_item');
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    expect((await post(list, { 'mcp-session-id': sessionOf(client) }, second)).status).toBe(404);
    const waiting = client.tool('wait_for_item', { wait_seconds: 20 });
    await call(second, 'item.cancel', { id });
    await make(second, name);
    expect(await waiting).toMatchObject({ item: { number: 2 }, notices: [{ kind: 'cancelled', number: 1 }] });
    await second.stop();
  });

  test('[MC14] a hub that stops lets who waits go, and ends its streams', async () => {
    const stopping = await startTestHub();
    const { name } = await newProject(stopping);
    const client = await connectMcp(stopping, { query: `?project=${name}` });
    const waiting = client.tool('wait_for_item', { wait_seconds: 50 });
    await client.tool('ready_items');
    await stopping.stop();
    expect(await waiting).toMatchObject({ item: null, isError: false });
    expect((await waiting).text).toContain('The hub is going down');
  });

  test('[MC1] the commands and their document are what they were', async () => {
    const { body } = await request(hub, 'GET', '/api/openapi.json');
    expect(
      Object.keys((body as unknown as { paths: object }).paths).filter((path) => path.includes('mcp')),
    ).toEqual([]);
  });
});
