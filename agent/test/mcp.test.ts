// MCP over stdio: the official SDK's client, and `switchyard mcp` as the process that it starts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startChildHub } from '../../server/test/setup/child-hub.ts';
import { adminToken, call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { connectOver, giveUpThreeWaits } from '../../server/test/setup/mcp.ts';
import { startProxy } from '../../server/test/setup/tcp-proxy.ts';
import { until } from '../../server/test/setup/until.ts';
import { get, httpAgent, make } from '../../server/test/setup/work.ts';

const cli = fileURLToPath(new URL('../bin.mjs', import.meta.url));

/** What an MCP client does that was told to run `switchyard mcp`. */
async function connectStdio(hub: { url: string }, args: string[] = [], env: Record<string, string> = {}) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [cli, 'mcp', ...args],
    env: { PATH: process.env.PATH!, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken, ...env },
    stderr: 'pipe',
  });
  let said = '';
  transport.stderr?.on('data', (text: Buffer) => (said += text.toString()));
  const connected = await connectOver(transport, 'Claude Code');
  return { ...connected, pid: transport.pid!, said: () => said };
}

/** An address at which there is a hub, or none: `start` puts one there. */
async function address() {
  const proxy = await startProxy({ host: '127.0.0.1', port: 1 });
  const between = { url: `http://127.0.0.1:${proxy.port}` };
  const start = async (database?: TestHub['database']) => {
    const timing = { heartbeatSeconds: 0.2 };
    const hub = await startTestHub({ allowedOrigins: [between.url], database, timing });
    proxy.target.port = Number(new URL(hub.url).port);
    return hub;
  };
  return { between, proxy, start };
}

describe('with a hub that stays', () => {
  let hub: TestHub;
  beforeAll(async () => {
    hub = await startTestHub({ timing: { heartbeatSeconds: 0.1, graceSeconds: 0.1 } });
  });
  afterAll(() => hub.stop());

  test('[MC1] a whole life: create, claim, files, cancel, complete', async () => {
    const { name } = await newProject(hub);
    const agent = await connectStdio(hub, ['--project', name]);
    expect(agent.client.getInstructions()).toContain('claim_item');
    expect((await agent.client.listTools()).tools).toHaveLength(11);
    await agent.tool('create_items', {
      items: [{ title: 'Write the schema' }, { title: 'Write the queries' }],
    });
    expect((await agent.tool('claim_item')).claim).toMatchObject({ item: { number: 1 }, attempt: 1 });
    expect((await agent.tool('claim_item', { id: '#2' })).claim).toMatchObject({ item: { number: 2 } });
    const ben = httpAgent(hub, 'ben');
    const { id: bens } = await make(hub, name);
    await ben.claim(bens);
    await ben.files(bens, 1, ['sql/001.sql']);
    const shared = await agent.tool('report_files', { id: 1, files: ['sql/001.sql'] });
    expect(shared.conflicts).toMatchObject([{ number: 3, agent_id: 'ben' }]);
    const { items } = await agent.tool('create_items', { items: [{ title: 'unwanted' }] });
    await agent.tool('claim_item', { id: items![0]!.id! });
    await call(hub, 'item.cancel', { id: items![0]!.id! });
    const done = await agent.tool('complete_item', { id: 1, result_summary: 'ok' });
    expect(done).toMatchObject({ item: { status: 'done' }, notices: [{ kind: 'cancelled', number: 4 }] });
    expect((await agent.tool('complete_item', { id: 4, result_summary: 'late' })).error?.code).toBe(
      'CLAIM_LOST',
    );
    const { agents } = await call(hub, 'project.agents', { project: name });
    expect(agents.map(({ agent_id }) => agent_id).find((id) => id !== 'ben')).toMatch(
      /^claude-code-[a-z0-9]{5}$/,
    );
  });

  test('[MC8] project and agent come from flags or the environment', async () => {
    const { name } = await newProject(hub);
    const [one, two] = [await make(hub, name), await make(hub, name)];
    await (await connectStdio(hub, ['--project', name, '--agent', 'anna'])).tool('claim_item', { id: 1 });
    const env = { SWITCHYARD_PROJECT: name, SWITCHYARD_AGENT: 'ben' };
    await (await connectStdio(hub, [], env)).tool('claim_item', { id: 2 });
    expect((await get(hub, one.id)).assigned_agent_id).toBe('anna');
    expect((await get(hub, two.id)).assigned_agent_id).toBe('ben');
  });

  test('[MC10] a claim lives as long as its process, whatever its model says', async () => {
    const { name } = await newProject(hub);
    const { id } = await make(hub, name);
    const agent = await connectStdio(hub, ['--project', name]);
    const { claim } = await agent.tool('claim_item', { id, lease_seconds: 0.8 });
    const past = Date.parse(claim!.lease_expires_at) + 800;
    const leaseOf = async () => Date.parse((await get(hub, id)).lease_expires_at ?? '');
    await until('it has outlived two leases', async () => (await leaseOf()) > past);
    process.kill(agent.pid, 'SIGKILL');
    await until('the item is back', async () => (await get(hub, id)).status === 'todo');
  });

  test('[MC7] a wait ends when the client gives up', async () => {
    const { name } = await newProject(hub);
    const agent = await connectStdio(hub, ['--project', name]);
    await giveUpThreeWaits(agent);
    const next = agent.tool('wait_for_item', { wait_seconds: 3 });
    await agent.tool('ready_items');
    await make(hub, name);
    expect((await next).item?.number).toBe(1);
  });

  test('[MC12] a hub that opens no stream serves all the same', async () => {
    const { name } = await newProject(hub);
    const { host } = new URL(hub.url);
    // GET goes unanswered, so that the session opens long after the answer to initialize has ended.
    const mute = createServer((asked, response) => {
      const { method, url, headers } = asked;
      if (method === 'GET') return;
      const toHub = request(new URL(url!, hub.url), { method, headers: { ...headers, host } }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      asked.pipe(toHub);
    });
    await once(mute.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => {
      mute.close();
      mute.closeAllConnections();
    });
    const { port } = mute.address() as AddressInfo;
    const agent = await connectStdio({ url: `http://127.0.0.1:${port}` }, ['--project', name]);
    expect((await agent.tool('create_items', { items: [{ title: 'work' }] })).items).toHaveLength(1);
  });

  test('[MC13] a wrong token is told by every tool', async () => {
    const agent = await connectStdio(hub, [], { SWITCHYARD_TOKEN: 'swy_wrong' });
    const refused = await agent.tool('ready_items');
    expect(refused).toMatchObject({ isError: true, error: { code: 'UNAUTHENTICATED' } });
  });

  const hello = {
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
  };
  const wait = { name: 'wait_for_item', arguments: { wait_seconds: 40, task_types: ['none'] } };
  const waiting = { id: 2, method: 'tools/call', params: wait };
  const leaving = { 'its session is being opened': [hello], 'a call is under way': [hello, waiting] };

  test.each(Object.entries(leaving))(
    '[MC12] it ends when its client leaves while %s',
    async (_, messages) => {
      const { name } = await newProject(hub);
      const env = { ...process.env, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken };
      const args = [cli, 'mcp', '--project', name];
      const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'ignore', 'inherit'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      for (const message of messages)
        child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      child.stdin.end();
      expect(await once(child, 'close')).toEqual([0, null]);
    },
  );

  test('[MC12] it ends when its client leaves, and nothing but messages is on stdout', async () => {
    const env = { ...process.env, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken };
    const child = spawn(process.execPath, [cli, 'mcp'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    const says = (message: object) =>
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    says({ id: 1, method: 'initialize', params });
    says({ method: 'notifications/initialized' });
    says({ id: 2, method: 'tools/list' });
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { id: number }).id)).toEqual([1, 2]);
  });
});

describe('with a hub that comes and goes', { timeout: 60_000 }, () => {
  test('[MC12] killed and started again: the session goes on with its claims, and calls meanwhile are answered', async () => {
    const hub = await startChildHub({ timing: { heartbeat: 0.2 } });
    const { name } = await newProject(hub);
    const [one, two] = [await make(hub, name), await make(hub, name)];
    const agent = await connectStdio(hub, ['--project', name]);
    const waiting = agent.tool('wait_for_item', { wait_seconds: 50, task_types: ['bug'] });
    for (const id of [1, 2]) await agent.tool('claim_item', { id });
    await hub.end('SIGKILL');
    const meanwhile = agent.tool('complete_item', { id: 1, result_summary: 'ok' });
    const again = await startChildHub({ dataDir: hub.dataDir, port: hub.port, timing: { heartbeat: 0.2 } });
    expect((await meanwhile).item?.status).toBe('done');
    await make(again, name, { task_type: 'bug' });
    expect((await waiting).item?.number).toBe(3);
    await call(again, 'item.cancel', { id: two.id });
    const told = await agent.tool('ready_items');
    expect(told.notices).toMatchObject([{ kind: 'cancelled', number: 2 }]);
    expect((await get(again, one.id)).assigned_agent_id).toBe((await get(again, two.id)).assigned_agent_id);
  });

  test('[MC12] one that says nothing comes back by itself, and its claims live on', async () => {
    const { between, start } = await address();
    const before = await start();
    const { name } = await newProject(before);
    const { id } = await make(before, name);
    const agent = await connectStdio(between, ['--project', name]);
    await agent.tool('claim_item', { id });
    await before.stop();
    const again = await start(before.database);
    const { lease_expires_at: then } = await get(again, id);
    await until('the claim is renewed', async () => (await get(again, id)).lease_expires_at! > then!);
    await agent.client.close();
    await again.stop();
  });

  test('[MC4] a claim that was lost over a restart stays lost, though the agent has claimed anew elsewhere', async () => {
    const { between, start } = await address();
    const before = await start();
    const { name } = await newProject(before);
    const { id } = await make(before, name);
    const agent = await connectStdio(between, ['--project', name, '--agent', 'anna']);
    await agent.tool('claim_item', { id });
    const elsewhere = httpAgent(before, 'anna');
    await elsewhere.release(id, 1);
    await elsewhere.claim(id);
    await before.stop();
    const again = await start(before.database);
    const late = await agent.tool('complete_item', { id, result_summary: 'late' });
    expect(late.error).toMatchObject({ code: 'CLAIM_LOST', details: { attempt: 2 } });
    expect(await get(again, id)).toMatchObject({ status: 'claimed', attempt: 2 });
    await again.stop();
  });

  test('[MC12] a completion whose answer got lost is answered, and done once', async () => {
    const { between, proxy, start } = await address();
    const hub = await start();
    const { name } = await newProject(hub);
    const { id } = await make(hub, name);
    const agent = await connectStdio(between, ['--project', name]);
    await agent.tool('claim_item', { id });
    proxy.loseSilently('back');
    let answered = false;
    const completing = agent
      .tool('complete_item', { id, result_summary: 'ok' })
      .finally(() => (answered = true));
    await until('it is done', async () => (await get(hub, id)).status === 'done');
    expect(answered).toBe(false);
    proxy.reset();
    expect(await completing).toMatchObject({ isError: false, item: { status: 'done' } });
    const { events } = await call(hub, 'item.history', { id });
    expect(events.filter(({ type }) => type === 'item.completed')).toHaveLength(1);
    await agent.client.close();
    await hub.stop();
  });

  test('[MC13] before the hub is started the client is let in, told what to do, and served once it is there', async () => {
    const { between, start } = await address();
    const agent = await connectStdio(between);
    expect((await agent.client.listTools()).tools).toHaveLength(11);
    const refused = await agent.tool('ready_items');
    expect(refused).toMatchObject({ isError: true, error: { code: 'UNAVAILABLE' } });
    expect(refused.text).toContain('npm start');
    const hub = await start();
    const { name } = await newProject(hub);
    await make(hub, name);
    expect((await agent.tool('claim_item')).claim?.item.number).toBe(1);
    await agent.client.close();
    await hub.stop();
  });
});
