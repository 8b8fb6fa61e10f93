import type { WireError } from '@switchyard/shared/errors';
import type { Item } from '@switchyard/shared/item';
import { expect, test } from 'vitest';
import { HubError } from '#lib/api.ts';
import { explainRefusal } from './refusals.ts';

const item = { number: 7, assigned_agent_id: 'agent-3' } as Item;
const said = (code: WireError['code'], details: Record<string, unknown> = {}, one = item) =>
  explainRefusal('cancel', one, new HubError({ code, message: 'In the hub’s own words.', details }));

test('a refusal says what happened meanwhile, and who did it', () => {
  const after = (status: string, one = item) => said('INVALID_TRANSITION', { status }, one).text;
  expect(after('done')).toBe('Could not cancel #7: agent-3 finished it first.');
  expect(after('done', { ...item, assigned_agent_id: null })).toBe(
    'Could not cancel #7: somebody finished it first.',
  );
  expect(after('claimed')).toBe('Could not cancel #7: agent-3 has claimed it meanwhile.');
  expect(after('cancelled')).toBe('Could not cancel #7: it is cancelled already.');
  expect(after('failed')).toBe('Could not cancel #7: it has failed meanwhile.');
  expect(after('todo')).toBe('Could not cancel #7: it is in the queue already.');
});

test('and what to do; what is not known better is told in the hub’s own words', () => {
  expect(said('VERSION_MISMATCH').text).toBe('Could not cancel #7: somebody changed it meanwhile.');
  expect(said('VERSION_MISMATCH').hint).toContain('try again');
  expect(said('FORBIDDEN')).toEqual({
    text: 'Could not cancel #7: this token may only look.',
    hint: 'Sign in with an operator’s token.',
  });
  expect(said('NOT_FOUND').text).toBe('Could not cancel #7: it is not there any more.');
  expect(said('UNAVAILABLE')).toEqual({ text: 'Could not cancel #7.', hint: 'In the hub’s own words.' });
  expect(said('INVALID_TRANSITION', { status: 'unheard-of' }).hint).toBe('In the hub’s own words.');
  const ofMany = (code: WireError['code']) =>
    explainRefusal('retry', '12 items', new HubError({ code, message: 'In the hub’s own words.' }));
  expect(ofMany('FORBIDDEN').text).toBe('Could not retry 12 items: this token may only look.');
  expect(ofMany('UNAVAILABLE')).toEqual({
    text: 'Could not retry 12 items.',
    hint: 'In the hub’s own words.',
  });
  expect(explainRefusal('retry', item, new Error('broken')).text).toBe('Could not retry #7: Error: broken');
});
