import { expect, test } from 'vitest';
import { itemSchema } from '../item.ts';
import { planOf, type Draft } from './draft.ts';
import { itemOf } from './test-items.ts';

const plan = (fields: Partial<Draft>) =>
  planOf('checklist', [{ ...itemOf('a'), metadata: {}, ...fields }], []);

test('control characters, colour codes and half characters go, with a warning', () => {
  const { items, warnings } = plan({ title: 'a\u0000b\r\nc\u001b[31md\ud800', description: 'x\u0007y\tz\n' });
  expect(items[0]).toMatchObject({ title: 'a b cd\ufffd', description: 'xy\tz\n' });
  expect(warnings.map((warning) => warning.message)).toEqual(['title', 'description']);
});

test('a title that is too long stands in full above the description', () => {
  const title = `${'t'.repeat(498)}😀 and more`;
  const [item] = plan({ title, description: 'below' }).items;
  expect(item!.title).toBe(`${'t'.repeat(498)}…`);
  expect(item!.title.isWellFormed()).toBe(true);
  expect(item!.description).toBe(`${title}\n\nbelow`);
});

test('texts are cut to what the hub takes', () => {
  const [item] = plan({
    description: 'x'.repeat(60_000),
    status: 'done',
    result_summary: 'y'.repeat(60_000),
  }).items;
  expect(item!.description).toHaveLength(50_000);
  expect(item!.result_summary).toHaveLength(50_000);
});

test('an item without a title is called by its id', () => {
  expect(plan({ title: ' \n' }).items[0]!.title).toBe('a');
});

test('metadata that is too large is left out, but for the source', () => {
  const { items, warnings } = plan({
    metadata: { labels: Array.from({ length: 9_000 }, () => 'long label') },
  });
  expect(items[0]!.metadata).toEqual({ source: { system: 'checklist', id: 'a' } });
  expect(warnings).toMatchObject([{ kind: 'text' }]);
});

test('an estimate that is none is dropped', () => {
  expect(plan({ estimated_hours: -1 }).items[0]!.estimated_hours).toBeNull();
  expect(plan({ estimated_hours: Infinity }).items[0]!.estimated_hours).toBeNull();
});

test('an open item below a finished one is left as it is, and pointed out', () => {
  const { items, warnings } = planOf('beads', [{ ...itemOf('a'), status: 'done' }, itemOf('b', 'a')], []);
  expect(items.map((item) => item.status)).toEqual(['done', 'todo']);
  expect(warnings).toEqual([{ kind: 'below', key: 'b', message: 'below a, which is done' }]);
  expect(itemSchema.shape.metadata.safeParse(items[0]!.metadata).success).toBe(true);
});

test.each(['a\0b', 'half \ud800', 'x'.repeat(1_001)])(
  'an item whose id cannot be kept is left out: %j',
  (key) => {
    const found = planOf(
      'beads',
      [
        { ...itemOf(key), metadata: {} },
        { ...itemOf('b', key), metadata: {} },
      ],
      [],
    );
    expect(found.items.map((item) => [item.key, item.parentKey])).toEqual([['b', null]]);
    expect(found.warnings.map((warning) => warning.kind)).toEqual(['unreadable', 'missing']);
  },
);
