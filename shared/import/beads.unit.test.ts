import { describe, expect, test } from 'vitest';
import { parseBeads } from './beads.ts';

const issue = (fields: object) => ({
  id: 'x-1',
  title: 'One',
  status: 'open',
  priority: 2,
  issue_type: 'task',
  ...fields,
});
const parse = (...issues: object[]) => parseBeads(issues.map((one) => JSON.stringify(issue(one))).join('\n'));
const first = (...issues: object[]) => parse(...issues).items[0]!;
const link = (type: string, id: string) => ({ issue_id: 'x-1', depends_on_id: id, type });

test('an issue becomes an item that says where it came from', () => {
  const item = first({ description: 'Do it', issue_type: 'bug', labels: ['ui'], estimated_minutes: 90 });
  expect(item).toMatchObject({
    key: 'x-1',
    title: 'One',
    description: 'Do it',
    task_type: 'bug',
    status: 'todo',
    priority: 5,
    estimated_hours: 1.5,
    metadata: { source: { system: 'beads', id: 'x-1' }, imported: { status: 'open', labels: ['ui'] } },
  });
});

test('design, criteria, notes and comments are sections of the description', () => {
  const comments = [{ author: 'anna', text: 'Why?', created_at: '2026-01-02' }];
  const { description } = first({
    description: 'A',
    design: 'B',
    acceptance_criteria: 'C',
    notes: 'D',
    comments,
  });
  expect(description).toBe(
    'A\n\n## Design\n\nB\n\n## Acceptance criteria\n\nC\n\n## Notes\n\nD\n\n## Comments\n\nanna, 2026-01-02: Why?',
  );
});

test.each([
  [0, 0],
  [1, 2],
  [2, 5],
  [3, 7],
  [4, 9],
])('priority %i becomes %i', (priority, here) => expect(first({ priority }).priority).toBe(here));

test('a priority that there is not is the default, with a warning', () => {
  const plan = parse({ priority: 'high' });
  expect(plan.items[0]!.priority).toBe(5);
  expect(plan.warnings).toEqual([{ kind: 'value', key: 'x-1', message: 'a priority of "high"' }]);
});

describe('status', () => {
  test.each([
    ['open', 'todo', 0],
    ['blocked', 'todo', 0],
    ['in_progress', 'todo', 1],
    ['hooked', 'todo', 1],
    ['deferred', 'todo', 1],
    ['whatever', 'todo', 1],
    ['closed', 'done', 0],
    ['tombstone', 'cancelled', 0],
    ['pinned', 'cancelled', 1],
  ])('%s becomes %s', (status, here, warnings) => {
    const plan = parse({ status });
    expect(plan.items[0]!.status).toBe(here);
    expect(plan.warnings).toHaveLength(warnings);
  });

  test('what is closed keeps its reason as the result, and nothing else does', () => {
    expect(first({ status: 'closed', close_reason: 'Fixed' }).result_summary).toBe('Fixed');
    expect(first({ status: 'open', close_reason: 'Reopened' }).result_summary).toBeNull();
  });

  test('what is deferred comes last', () =>
    expect(first({ status: 'deferred', priority: 0 }).priority).toBe(9));

  test('the bookkeeping of Beads is no work', () => {
    expect(first({ issue_type: 'agent' }).status).toBe('cancelled');
    expect(first({ issue_type: 'message', status: 'closed' }).status).toBe('done');
  });
});

describe('links', () => {
  test('parent-child is the parent, blocks a dependency, others are kept', () => {
    const dependencies = [link('parent-child', 'x-2'), link('blocks', 'x-3'), link('related', 'x-4')];
    const plan = parse({ dependencies }, { id: 'x-2' }, { id: 'x-3' }, { id: 'x-4' });
    expect(plan.items[0]).toMatchObject({ parentKey: 'x-2', dependencyKeys: ['x-3'] });
    expect(plan.items[0]!.metadata.imported).toMatchObject({ links: [{ type: 'related', id: 'x-4' }] });
    expect(plan.warnings).toEqual([]);
  });

  test('of two parents the one named as such counts', () => {
    const dependencies = [link('parent-child', 'x-2'), link('parent-child', 'x-3')];
    const plan = parse({ dependencies, parent: 'x-3' }, { id: 'x-2' }, { id: 'x-3' });
    expect(plan.items[0]!.parentKey).toBe('x-3');
    expect(plan.warnings).toMatchObject([{ kind: 'link', message: 'a second parent, x-2' }]);
  });

  test('links to issues that are not in the file are reported, of every type', () => {
    const types = ['parent-child', 'blocks', 'discovered-from'];
    const plan = parse({ dependencies: types.map((type) => link(type, `gone-${type}`)) });
    expect(plan.items[0]).toMatchObject({ parentKey: null, dependencyKeys: [] });
    expect(plan.warnings.map((warning) => warning.kind)).toEqual(['missing', 'missing', 'missing']);
  });

  test('nothing waits for what was deleted', () => {
    const plan = parse({ dependencies: [link('blocks', 'x-2')] }, { id: 'x-2', status: 'tombstone' });
    expect(plan.items[0]!.dependencyKeys).toEqual([]);
    expect(plan.warnings).toMatchObject([{ kind: 'link' }]);
  });
});

test('lines that are no issue are reported by their number', () => {
  const plan = parseBeads(`${JSON.stringify(issue({}))}\n<<<<<<< HEAD\n\n{"no":"id"}\n`);
  expect(plan.items).toHaveLength(1);
  expect(plan.warnings.map((warning) => warning.key)).toEqual(['line 2', 'line 4']);
});

test('an id that comes again counts as it was last', () => {
  const plan = parse({ title: 'Old' }, { title: 'New' });
  expect(plan.items.map((item) => item.title)).toEqual(['New']);
  expect(plan.warnings).toMatchObject([{ kind: 'duplicate' }]);
});

test('fields of wrong types are as if they were not there', () => {
  const plan = parse({
    title: 7,
    description: ['a'],
    labels: 'x',
    dependencies: [null, 3],
    estimated_minutes: '9',
    notes: {},
  });
  expect(plan.items[0]).toMatchObject({
    title: 'x-1',
    description: null,
    estimated_hours: null,
    dependencyKeys: [],
  });
});

test('an array of issues is read too', () => {
  expect(parseBeads([issue({}), issue({ id: 'x-2' })]).items).toHaveLength(2);
});
