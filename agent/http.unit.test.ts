import { expect, test } from 'vitest';
import { httpRequest } from './http.ts';

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
