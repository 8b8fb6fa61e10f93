import { expect, test } from 'vitest';
import type { Event, EventType } from '@switchyard/shared/item';
import { checkAcknowledged, checkLost, checkWatched } from './witness.ts';

const event = (seq: number, type: EventType, fields: Partial<Event> = {}): Event => ({
  project_id: 'p',
  seq,
  type,
  at: '2026-01-01T00:00:00.000Z',
  actor: 'anna',
  item_id: 'a',
  attempt: 1,
  session_id: 's',
  data: {},
  ...fields,
});
const claim = { type: 'item.claimed', item_id: 'a', attempt: 1, session_id: 's' } as const;

test('what was acknowledged is found in the log', () => {
  expect(checkAcknowledged([claim], [event(1, 'item.claimed')])).toEqual([]);
});

test.each([
  ['is missing', []],
  ['is there twice', [event(1, 'item.claimed'), event(2, 'item.claimed')]],
  ['has another attempt', [event(1, 'item.claimed', { attempt: 2 })]],
  ['has another session', [event(1, 'item.claimed', { session_id: 't' })]],
])('an acknowledged change that %s', (_, events) => {
  expect(checkAcknowledged([claim], events)).toMatchObject([{ rule: 'acknowledged' }]);
});

test('a claim that is taken from an agent that lives', () => {
  const lost = event(9, 'item.requeued', { data: { reason: 'lease_expired' } });
  expect(
    checkLost(new Set(['s']), [lost, event(10, 'item.requeued', { data: { reason: 'retry' } })]),
  ).toEqual([]);
  expect(checkLost(new Set(['t']), [lost])).toMatchObject([{ rule: 'early', seq: 9 }]);
});

const log = [event(1, 'item.created'), event(2, 'item.claimed'), event(3, 'item.completed')];

test('a watcher that saw the log is content, whatever else came along with it', () => {
  const seen = log.map((one) => ({ ...one, item: { id: 'a' } }));
  expect(checkWatched(seen, 0, log)).toEqual([]);
});

test.each([
  ['a missing event', [log[0]!, log[2]!]],
  ['a repeated event', [log[0]!, log[0]!, log[1]!, log[2]!]],
  ['another order', [log[1]!, log[0]!, log[2]!]],
  ['other data', [log[0]!, log[1]!, event(3, 'item.completed', { data: { progress: 1 } })]],
  ['one event more', [...log, event(4, 'item.updated')]],
])('a watcher that saw %s', (_, seen) => {
  expect(checkWatched(seen, 0, log)[0]).toMatchObject({ rule: 'watched' });
});

test('a gap that had to be asked for is one too many', () => {
  expect(checkWatched(log, 1, log)).toEqual([{ rule: 'watched', message: '1 gaps in what was sent' }]);
});
