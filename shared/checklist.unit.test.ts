import { expect, test } from 'vitest';
import { readChecklist } from './checklist.ts';

test('an entry names its parent by its place, and the headings it stands under', () => {
  const entries = readChecklist('# Plan\n- [ ] a\n  said of a\n  - [x] b #bug #ui (P1) (30m)\n- [ ] c');
  expect(entries).toEqual([
    expect.objectContaining({
      title: 'a',
      description: 'said of a',
      parent: null,
      sections: ['Plan'],
      priority: null,
    }),
    {
      title: 'b',
      description: null,
      task_type: 'bug',
      priority: 1,
      estimated_hours: 0.5,
      status: 'done',
      parent: 0,
      sections: ['Plan'],
      tags: ['ui'],
    },
    expect.objectContaining({ title: 'c', parent: null }),
  ]);
});

test('text without boxes has no entries', () => expect(readChecklist('# Hello\n\n- no box')).toEqual([]));
