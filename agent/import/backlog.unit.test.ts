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
