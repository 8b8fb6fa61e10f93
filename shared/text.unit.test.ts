import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { line, metadataSchema, prose, slug } from './text.ts';

const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;
const deep = (depth: number): unknown => {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = { a: value };
  return value;
};

describe('line', () => {
  test.each(['a', ' a ', 'ü', '👩‍👩‍👧', 'a"b<c>', 'x'.repeat(10)])('%j fits', (text) =>
    expect(fits(line(10), text)).toBe(true),
  );
  test.each([
    '',
    ' ',
    '\u3000',
    'a\nb',
    'a\rb',
    'a\tb',
    'a\u0000',
    '\u001b[0m',
    '\u0085',
    '\u2029',
    '\udc00',
    'x'.repeat(11),
    7,
    null,
  ])('%j does not', (text) => expect(fits(line(10), text)).toBe(false));
  test('[VA1] one fault is told once', () => {
    expect(line(10).safeParse('').error!.issues).toHaveLength(1);
    expect(line(10).safeParse('  ').error!.issues).toHaveLength(1);
  });
  test('[VA9] what fits is kept as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { data, success } = line(1_000).safeParse(text);
        return !success || data === text;
      }),
    );
  });
});

describe('prose', () => {
  test.each(['', ' ', 'a\nb\r\n\tc', '\u2028', 'x'.repeat(50_000)])('%j fits', (text) =>
    expect(fits(prose(), text)).toBe(true),
  );
  test.each(['a\u0000', '\u001b[0m', '\u0007', '\u009b', 'a\ud800b', 'x'.repeat(50_001), null])(
    '%j does not',
    (text) => expect(fits(prose(), text)).toBe(false),
  );
});

test('slug', () => {
  for (const good of ['a', '0', 'a-b_c', 'x'.repeat(50)]) expect(fits(slug, good)).toBe(true);
  for (const bad of ['', '-a', '_', 'A', 'a b', 'a\n', 'é', 'x'.repeat(51)])
    expect(fits(slug, bad)).toBe(false);
});

describe('metadata', () => {
  test('[VA8] is an object, 32 deep and 64 KiB at most', () => {
    expect(fits(metadataSchema, {})).toBe(true);
    for (const bad of [null, [], 'x', 7, undefined]) expect(fits(metadataSchema, bad)).toBe(false);
    expect(fits(metadataSchema, deep(31))).toBe(true);
    expect(fits(metadataSchema, deep(33))).toBe(false);
    expect(fits(metadataSchema, deep(10_000))).toBe(false);
    expect(fits(metadataSchema, { a: 'x'.repeat(65_528) })).toBe(true);
    expect(fits(metadataSchema, { a: 'x'.repeat(65_529) })).toBe(false);
    expect(fits(metadataSchema, { a: 'é'.repeat(32_765) })).toBe(false);
  });

  test('[VA6] has no key or string that could not be stored', () => {
    for (const bad of [
      '{"__proto__": 1}',
      '{"a": {"__proto__": {}}}',
      '{"a": ["\\u0000"]}',
      '{"\\ud800": 1}',
      '{"a": "\\udc00"}',
    ])
      expect(fits(metadataSchema, JSON.parse(bad)), bad).toBe(false);
    expect(fits(metadataSchema, JSON.parse('{"constructor": 1, "prototype": "\\u001b"}'))).toBe(true);
  });

  test('[VA6] whatever JSON there is, it is taken as it is or refused', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        const { success, data } = metadataSchema.safeParse(value);
        return !success || JSON.stringify(data) === JSON.stringify(value);
      }),
    );
  });
});
