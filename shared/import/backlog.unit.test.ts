import { expect, test } from 'vitest';
import { parseBacklog } from './backlog.ts';

test.each([
  ['beads', '{"id":"x-1","title":"One"}\n{"id":"x-2","title":"Two"}'],
  ['beads', '\ufeff{"id":"x-1","title":"One"}'],
  ['beads', '[{"id":"x-1","title":"One"}]'],
  ['beads', '<<<<<<< HEAD\n{"id":"x-1","title":"One"}'],
  ['task-master', '{"master":{"tasks":[]}}'],
  ['task-master', '{"tasks":[{"id":1,"title":"One"}],"metadata":{}}'],
  ['checklist', '# Plan\r\n\r\n- [ ] One\r\n'],
])('%s is told by its content', (system, text) => expect(parseBacklog(text).system).toBe(system));

test.each(['', 'Hello', '{}', '[]', '{"a":1}\n{"b":2}', '- no box'])('%j is no backlog', (text) => {
  expect(() => parseBacklog(text)).toThrow('This is no backlog');
});

test.each([
  ['{"tasks": [\n  {"id": 1, "title": "One"\n]}', 'line 3 goes wrong at “]}”, column 1'],
  ['[{"id": "x-1", "title": "One"},\n', 'line 2 ends too early'],
  ['{"id": "x-1", title: 1}', 'line 1 goes wrong at “title: 1}”, column 15'],
])('%j is meant to be JSON, and its mistake is named', (text, message) => {
  expect(() => parseBacklog(text)).toThrow(message);
});

test('what is nested without end is refused or reported, and does no harm', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(() => parseBacklog(deep)).toThrow('This is no backlog');
  expect(() => parseBacklog(`{"tasks": [{"id": 1, "title": "One", "priority": ${deep}}]}`)).toThrow(
    'nested deeper than 100 levels',
  );
  const issues = `{"id":"x-1","title":"One","status":"open"}\n{"id":"x-2","title":"Two","priority":${deep}}`;
  expect(parseBacklog(issues)).toMatchObject({
    items: [{ key: 'x-1' }],
    warnings: [{ kind: 'unreadable', key: 'line 2', message: 'nested deeper than 100 levels' }],
  });
});
