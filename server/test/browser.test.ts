import { request as httpRequest } from 'node:http';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { WireError } from '@switchyard/shared/errors';
import { adminToken, call, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { unchanged } from './setup/work.ts';

const board = 'https://board.example';
let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ allowedOrigins: [board] });
});
afterAll(() => hub.stop());

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: { error?: WireError; session?: unknown };
}

/** A request as a browser would send it: fetch of Node sets no Host or Origin of one's own choice. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: unknown,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(hub.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
    });
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => {
        const isJson = String(response.headers['content-type']).includes('json');
        const answer = isJson ? (JSON.parse(text) as Answer['body']) : {};
        resolve({ status: response.statusCode!, headers: response.headers, body: answer });
      });
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

const own = () => ({ origin: hub.url });
async function signIn(token = adminToken): Promise<{ cookie: string }> {
  const { headers } = await send('POST', '/api/session', own(), { token });
  return { cookie: headers['set-cookie']![0]!.split(';')[0]! };
}
const outcome = ({ status, body }: Answer) => [status, body.error?.code];

describe('the browser’s session', () => {
  test('[BR1] a token is traded for a cookie that scripts cannot read and other sites cannot send', async () => {
    const { status, headers, body } = await send('POST', '/api/session', own(), { token: adminToken });
    expect([status, body]).toEqual([
      200,
      { session: { role: 'operator', project_id: null, agent_id: null, label: 'admin' } },
    ]);
    const cookie = headers['set-cookie']![0]!;
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part);
    expect(JSON.stringify(body)).not.toContain(adminToken);
    const who = await send('GET', '/api/session', { cookie: cookie.split(';')[0]! });
    expect(who.body.session).toMatchObject({ role: 'operator' });
  });

  test('[BR1] a wrong token gets none', async () => {
    const wrong = await send('POST', '/api/session', own(), { token: 'swy_wrong' });
    expect([...outcome(wrong), wrong.headers['set-cookie']]).toEqual([401, 'UNAUTHENTICATED', undefined]);
    for (const body of [{}, { token: 7 }, [], 'x'])
      expect(outcome(await send('POST', '/api/session', own(), body))).toEqual([400, 'VALIDATION']);
  });

  test('[BR2] the cookie reads, and writes from the hub’s own pages', async () => {
    const cookie = await signIn();
    expect((await send('GET', '/api/projects', cookie)).status).toBe(200);
    const { id: project } = await newProject(hub);
    const path = `/api/projects/${project}/items`;
    expect((await send('POST', path, { ...cookie, ...own() }, { title: 'x' })).status).toBe(201);
    const sameSite = { ...cookie, 'sec-fetch-site': 'same-origin' };
    expect((await send('POST', path, sameSite, { title: 'x' })).status).toBe(201);
    const proxied = { ...cookie, origin: board, host: 'board.example' };
    expect((await send('POST', path, proxied, { title: 'x' })).status).toBe(201);
    const out = await send('DELETE', '/api/session', { ...cookie, ...own() });
    expect(out.headers['set-cookie']![0]).toMatch(/Max-Age=0/);
  });

  test('[BR3] a write from a foreign page, or from nobody knows where, is refused', async () => {
    const cookie = await signIn();
    const { id: project } = await newProject(hub);
    const path = `/api/projects/${project}/items`;
    const port = new URL(hub.url).port;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:1' },
      { origin: `https://127.0.0.1:${port}` },
      { origin: `http://127.0.0.1:${port}.evil.example` },
      { origin: `${board}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      {},
    ] as Record<string, string>[]) {
      const write = () => send('POST', path, { ...cookie, ...headers }, { title: 'x' });
      expect(outcome(await unchanged(hub, project, write)), JSON.stringify(headers)).toEqual([
        403,
        'FORBIDDEN',
      ]);
    }
  });

  test('[BR4] a name that was rebound to this machine is refused by its Host', async () => {
    const bearer = { authorization: `Bearer ${adminToken}` };
    const port = new URL(hub.url).port;
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      `127.0.0.1.evil.example:${port}`,
      'board.example.evil',
      '127.0.0.1:1',
    ])
      for (const path of ['/api/projects', '/healthz'])
        expect(outcome(await send('GET', path, { ...bearer, host })), host).toEqual([403, 'FORBIDDEN']);
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `LOCALHOST:${port}`, 'board.example'])
      expect((await send('GET', '/api/projects', { ...bearer, host })).status, host).toBe(200);
  });

  test('[BR5] no answer invites other origins in', async () => {
    const answer = await send('GET', '/api/projects', { authorization: `Bearer ${adminToken}`, ...own() });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const preflight = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    expect((await send('OPTIONS', '/api/projects', preflight)).status).toBe(403);
  });
});

describe('sockets of browsers', () => {
  /** Resolves with null once connected, with what went wrong otherwise. */
  function open(headers: Record<string, string>, auth = {}): Promise<Error | null> {
    const socket = io(hub.url, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      auth,
      extraHeaders: headers,
    });
    onTestFinished(() => void socket.disconnect());
    return new Promise((resolve) => {
      socket.once('connect', () => resolve(null));
      socket.once('connect_error', resolve);
    });
  }

  test('[BR6] the cookie lets a socket in, from the hub’s own pages', async () => {
    const cookie = await signIn();
    expect(await open({ ...cookie, ...own() })).toBeNull();
    expect(await open({ ...cookie, origin: board, host: 'board.example' })).toBeNull();
    expect(await open(own())).toMatchObject({ data: { code: 'UNAUTHENTICATED' } });
  });

  test('[BR6] from no other page, whatever it brings along', async () => {
    const cookie = await signIn();
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { host: 'evil.example' },
      { ...own(), host: 'evil.example' },
    ] as Record<string, string>[])
      for (const auth of [{}, { token: adminToken }])
        expect(await open({ ...cookie, ...headers }, auth)).toBeInstanceOf(Error);
  });

  test('[BR7] a cookie is good for as long as its token', async () => {
    const { token } = await call(hub, 'token.create', { role: 'viewer', label: 'short' });
    const cookie = await signIn(token.token);
    expect((await send('GET', '/api/projects', cookie)).status).toBe(200);
    await call(hub, 'token.revoke', { id: token.id });
    expect(outcome(await send('GET', '/api/projects', cookie))).toEqual([401, 'UNAUTHENTICATED']);
    expect(await open({ ...cookie, ...own() })).toMatchObject({ data: { code: 'UNAUTHENTICATED' } });
  });
});
