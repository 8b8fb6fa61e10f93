import { expect, test } from 'vitest';
import { withRequestId } from './request-id.ts';

test('what changes something goes under a request_id, and under the one that it has', () => {
  const made = [1, 2].map(() => withRequestId('item.create', { project: 'shop', title: 'a' }).request_id);
  expect(new Set(made).size).toBe(2);
  expect(made[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(withRequestId('item.claim', { id: 'x', request_id: 'mine' })).toEqual({
    id: 'x',
    request_id: 'mine',
  });
});

test('what changes nothing goes as it is: the hub takes no other fields', () => {
  for (const command of ['item.get', 'item.explain'] as const)
    expect(withRequestId(command, { id: 'x' })).toEqual({ id: 'x' });
  expect(withRequestId('item.check_files', { project: 'shop', files: [] })).not.toHaveProperty('request_id');
  expect(withRequestId('token.list', {})).toEqual({});
});
