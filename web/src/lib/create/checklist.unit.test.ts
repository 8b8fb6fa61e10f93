import { readChecklist } from '@switchyard/shared/checklist';
import { expect, test } from 'vitest';
import { HubError } from '#lib/api.ts';
import { depthsOf, draftsOf, rowProblemsOf } from './checklist.ts';

const text = `# Plan
## Cards
- [ ] Take cards #feature (P2) (3h)
  As sketched.
  - [x] Draw it
    - [-] In blue #ui
- [ ] Tell`;

test('what is indented is a part of what stands above it; where it stood and its other tags are kept', () => {
  const entries = readChecklist(text);
  expect(depthsOf(entries)).toEqual([0, 1, 2, 0]);
  const imported = { section: 'Plan / Cards' };
  expect(draftsOf(entries)).toEqual([
    {
      ref: 'n0',
      title: 'Take cards',
      description: 'As sketched.',
      task_type: 'feature',
      priority: 2,
      estimated_hours: 3,
      metadata: { imported },
    },
    {
      ref: 'n1',
      title: 'Draw it',
      description: null,
      task_type: null,
      estimated_hours: null,
      parent_item_id: 'n0',
      status: 'done',
      metadata: { imported },
    },
    {
      ref: 'n2',
      title: 'In blue',
      description: null,
      task_type: null,
      estimated_hours: null,
      parent_item_id: 'n1',
      status: 'cancelled',
      metadata: { imported: { ...imported, tags: ['ui'] } },
    },
    {
      ref: 'n3',
      title: 'Tell',
      description: null,
      task_type: null,
      estimated_hours: null,
      metadata: { imported },
    },
  ]);
});

test('a refusal names the first entry that is wrong, and marks each with what is wrong first', () => {
  const issues = [
    { path: 'items.2.title', message: 'too long' },
    { path: 'items.2.priority', message: 'too high' },
    { path: 'items.0.task_type', message: 'is no slug' },
  ];
  const [rows, problems] = rowProblemsOf(
    new HubError({ code: 'VALIDATION', message: 'No.', details: { issues } }),
  );
  expect([...rows]).toEqual([
    [2, 'title: too long'],
    [0, 'task_type: is no slug'],
  ]);
  expect(problems).toEqual({ '': 'Nothing was created. Entry 3: title: too long (and 1 more)' });
});
