import { expect, test } from 'vitest';
import { parseChecklist } from './checklist.ts';

const items = (markdown: string) => parseChecklist(markdown).items;

test('boxes are items, indented ones are children, other indented lines the description', () => {
  const list = items(
    [
      '# Plan',
      '',
      '- [ ] Build',
      '  As sketched.',
      '',
      '  - a point',
      '  - [x] Draw',
      '    - [ ] Colour',
      '- [ ] Ship',
      'Not part of it.',
    ].join('\n'),
  );
  expect(
    list.map(({ title, parentKey, status, description }) => [title, parentKey, status, description]),
  ).toEqual([
    ['Build', null, 'todo', 'As sketched.\n\n- a point'],
    ['Draw', 'Plan / Build', 'done', null],
    ['Colour', 'Plan / Build / Draw', 'todo', null],
    ['Ship', null, 'todo', null],
  ]);
});

test.each([
  ['- [ ] a', 'todo'],
  ['* [/] a', 'todo'],
  ['+ [x] a', 'done'],
  ['1. [X] a', 'done'],
  ['2) [-] a', 'cancelled'],
  ['- [~] a', 'cancelled'],
])('%s is %s', (line, status) => expect(items(line)[0]!.status).toBe(status));

test('type, priority and estimate are marks in the title', () => {
  const [item] = items('- [ ] Mend the parser, see #31 #bug (P1) #Backend (90 min)');
  expect(item).toMatchObject({
    title: 'Mend the parser, see #31',
    task_type: 'bug',
    priority: 1,
    estimated_hours: 1.5,
    metadata: { imported: { tags: ['Backend'] } },
  });
  expect(items('- [ ] plain')[0]).toMatchObject({ task_type: null, priority: 5, estimated_hours: null });
});

test('the key is the way to the item, and stays when its marks change', () => {
  const before = items('## Now\n- [ ] Ship (P3)\n## Later\n- [ ] Ship');
  const after = items('## Now\n- [x] Ship #docs (P0)\n## Later\n- [ ] Ship');
  expect(before.map((item) => item.key)).toEqual(['Now / Ship', 'Later / Ship']);
  expect(after.map((item) => item.key)).toEqual(before.map((item) => item.key));
  expect(before[0]!.metadata).toEqual({
    source: { system: 'checklist', id: 'Now / Ship' },
    imported: { section: 'Now' },
  });
});

test('equal lines are two items, and long ones have bounded keys', () => {
  expect(items('- [ ] a\n- [ ] a').map((item) => item.key)).toEqual(['a', 'a (2)']);
  const [one, other] = items(`- [ ] ${'x'.repeat(400)}1\n- [ ] ${'x'.repeat(400)}2`);
  expect(one!.key.length).toBeLessThanOrEqual(200);
  expect(one!.key).not.toBe(other!.key);
  // What was imported by an earlier version is known by it.
  expect(one!.key).toBe(`${'x'.repeat(182)}…44c7ff0d93463be2`);
});

test('a line that is long, or cut through a character, makes a key that can be kept', () => {
  const [item] = items(`# ${'a '.repeat(200_000)}#\n- [ ] ${'😀'.repeat(300)}\ud800`);
  expect(item!.key.isWellFormed()).toBe(true);
  expect(items('## Now ##\n- [ ] a')[0]!.key).toBe('Now / a');
});

test('a box in a code block is none', () => {
  expect(items('```\n- [ ] no\n```\n- [ ] yes\n  ```\n  - [ ] no\n  ```').map((item) => item.title)).toEqual([
    'yes',
  ]);
});

test('tabs indent, and a shallower box closes the deeper ones', () => {
  const list = items('- [ ] a\n\t- [ ] b\n\t\t- [ ] c\n\t- [ ] d');
  expect(list.map((item) => item.parentKey)).toEqual([null, 'a', 'a / b', 'a']);
});

test('text without boxes is an empty plan', () =>
  expect(parseChecklist('# Hello\n\n- no box').items).toEqual([]));
