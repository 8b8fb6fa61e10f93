import { expect, test } from 'vitest';
import { passes, readLogFilter } from './filter.ts';

const line = { type: 'item.requeued', actor: 'hub', session_id: 's1', data: {} } as const;
const none = new Set<string>();

test('what makes no sense in an address is passed over', () => {
  const read = (text: string) => readLogFilter(new URLSearchParams(text));
  expect(read('event=item.claimed&agent=anna&about=31')).toEqual({
    type: 'item.claimed',
    agent: 'anna',
    item: 31,
  });
  expect(read('about=%2331')).toEqual({ item: 31 });
  expect(read('event=nonsense&about=-1&agent=&item=4&type=bug')).toEqual({});
});

test('a line is of an agent that did it, to whom it fell, or whose session it is about', () => {
  expect(passes({ agent: 'anna' }, line, none)).toBe(false);
  expect(passes({ agent: 'anna' }, line, new Set(['s1']))).toBe(true);
  expect(passes({ agent: 'anna' }, { ...line, actor: 'anna' }, none)).toBe(true);
  expect(passes({ agent: 'anna' }, { ...line, data: { assigned_agent_id: 'anna' } }, none)).toBe(true);
  expect(passes({ agent: 'anna', type: 'item.claimed' }, { ...line, actor: 'anna' }, none)).toBe(false);
});
