import { describe, expect, test } from 'vitest';
import { parseTaskMaster } from './task-master.ts';

const task = (fields: object) => ({
  id: 1,
  title: 'One',
  status: 'pending',
  priority: 'medium',
  dependencies: [],
  ...fields,
});
const parse = (...tasks: object[]) => parseTaskMaster({ master: { tasks: tasks.map(task) } });

test('a task becomes an item that says where it came from', () => {
  const plan = parse({ id: 7, description: 'A', details: 'B', testStrategy: 'C', priority: 'high' });
  expect(plan.items[0]).toMatchObject({
    key: '7',
    title: 'One',
    description: 'A\n\n## Details\n\nB\n\n## Test strategy\n\nC',
    priority: 2,
    task_type: null,
    metadata: {
      source: { system: 'task-master', id: '7' },
      imported: { status: 'pending', priority: 'high' },
    },
  });
  expect(plan.warnings).toEqual([]);
});

test('subtasks are children, as urgent as their task', () => {
  const subtasks = [
    { id: 1, title: 'a', status: 'done' },
    { id: 2, title: 'b', status: 'pending' },
  ];
  const plan = parse({ id: 3, priority: 'low', status: 'in-progress', subtasks });
  expect(
    plan.items.map(({ key, parentKey, priority, status }) => [key, parentKey, priority, status]),
  ).toEqual([
    ['3', null, 8, 'todo'],
    ['3.1', '3', 8, 'done'],
    ['3.2', '3', 8, 'todo'],
  ]);
});

test('within subtasks a plain number is a sibling, and a dotted one an id', () => {
  const subtasks = [{ id: 1 }, { id: 2, dependencies: [1] }, { id: 3, dependencies: ['2.1', '1.2', '1'] }];
  const plan = parse({ id: 1, subtasks }, { id: 2, dependencies: ['1'], subtasks: [{ id: 1 }] });
  const dependencies = Object.fromEntries(plan.items.map((item) => [item.key, item.dependencyKeys]));
  expect(dependencies).toMatchObject({ '1.2': ['1.1'], '1.3': ['2.1', '1.2', '1.1'], '2': ['1'] });
});

test.each([
  ['pending', 'todo', 0],
  ['in-progress', 'todo', 1],
  ['review', 'todo', 1],
  ['blocked', 'todo', 0],
  ['deferred', 'todo', 1],
  ['done', 'done', 0],
  ['completed', 'done', 0],
  ['cancelled', 'cancelled', 0],
  ['constructor', 'todo', 1],
])('status %s becomes %s', (status, here, warnings) => {
  const plan = parse({ status });
  expect(plan.items[0]!.status).toBe(here);
  expect(plan.warnings).toHaveLength(warnings);
});

describe('tags', () => {
  const tags = {
    master: { tasks: [task({})] },
    next: { tasks: [task({}), task({ id: 2, dependencies: [1] })] },
  };

  test('each has its own ids; those of master stay as they are', () => {
    expect(parseTaskMaster(tags).items.map((item) => item.key)).toEqual(['1', 'next:1', 'next:2']);
  });
  test('links stay within a tag', () => {
    expect(parseTaskMaster(tags).items[2]!.dependencyKeys).toEqual(['next:1']);
  });
  test('a file without tags is read as master', () => {
    expect(parseTaskMaster({ tasks: [task({})] }).items[0]!.key).toBe('1');
  });
});

test('missing links and tasks without an id are reported', () => {
  const plan = parse({ dependencies: [99] }, { id: null });
  expect(plan.items).toHaveLength(1);
  expect(plan.warnings.map((warning) => warning.kind).sort()).toEqual(['missing', 'unreadable']);
});
