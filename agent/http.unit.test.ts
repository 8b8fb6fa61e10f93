import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { httpCaller, httpRequest } from './http.ts';

const id = '0197c8a0-0000-7000-8000-000000000000';

test('what the path names goes into it, the rest of a read into the query', () => {
  const { method, path } = httpRequest('item.list', {
    project: 'a b',
    status: ['todo', 'done'],
    limit: 5,
    cursor: undefined,
  });
  expect(`${method} ${path}`).toBe('GET /api/projects/a%20b/items?status=todo%2Cdone&limit=5');
});

test('a write is a JSON body, its request_id a header', () => {
  expect(httpRequest('item.release', { id, attempt: 2, request_id: 'r1' })).toEqual({
    method: 'POST',
    path: `/api/items/${id}/release`,
    headers: { 'idempotency-key': 'r1', 'content-type': 'application/json' },
    body: '{"attempt":2}',
  });
});

const strangers: Record<string, (response: ServerResponse, path: string) => void> = {
  'a page for everything': (response) => response.end('<html>Welcome</html>'),
  'JSON of something else': (response) => response.end('null'),
  'a proxy whose hub is away': (response) => response.writeHead(502).end('<html>Bad Gateway</html>'),
  'a way elsewhere': (response, path) => {
    if (path === '/elsewhere') response.end('{"projects":[]}');
    else response.writeHead(302, { location: '/elsewhere' }).end();
  },
  'half an answer': (response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{"projects":', () => response.destroy());
  },
};

test.each(Object.entries(strangers))('%s is no answer of a hub, and no fault of ours', async (_, answer) => {
  const server = createServer(({ url }, response) => answer(response, url!)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const call = httpCaller({ url: `http://127.0.0.1:${port}`, token: 'swy_none' });
  await expect(call('project.list', {})).rejects.toMatchObject({ name: 'Refusal', code: 'UNAVAILABLE' });
});
