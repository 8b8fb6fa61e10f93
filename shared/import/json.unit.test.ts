import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokenJson, faultIn, nestsDeeper } from './json.ts';

test.each([
  ['{"a": x}', 6],
  ['{"a":1,}', 7],
  ['[1,]', 3],
  ['[1 2]', 3],
  ['{1:2}', 1],
  ['{"a" 1}', 5],
  ['[1}', 2],
  ['[1] 2', 4],
  ['["a\nb"]', 1],
  ['["\\x"]', 1],
  ['01', 1],
  ['[', 1],
  ['', 0],
  [' ]', 1],
])('%j goes wrong at %i', (text, at) => {
  expect(() => JSON.parse(text) as unknown).toThrow();
  expect(faultIn(text)).toBe(at);
});

test('nothing is wrong with what JSON.parse takes, and something with what it does not', () => {
  const cut = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ':', '1', 'x', '\\'));
  fc.assert(
    fc.property(cut, ([json, place, more]) => {
      const at = place % (json.length + 1);
      const text = json.slice(0, at) + more + json.slice(at + 1);
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      expect([text, faultIn(text) === null]).toEqual([text, valid]);
    }),
    { numRuns: 2_000 },
  );
});

test('the message names the line and says what to do', () => {
  expect(brokenJson('{\n  "a": 1\n  "b": 2\n}').message).toBe(
    'This is no valid JSON: line 3 goes wrong at “"b": 2”, column 3. Mend it there, or export the backlog anew.',
  );
  expect(brokenJson('[\n1,\n').message).toContain('line 3 ends too early');
});

test('what is deeper or longer than the stack is no trouble', () => {
  const deep = '['.repeat(300_000) + ']'.repeat(300_000);
  expect(faultIn(deep)).toBe(null);
  expect(nestsDeeper(JSON.parse(deep))).toBe(true);
  for (const text of [`"${'a\\n'.repeat(3_000_000)}"`, `"${'a'.repeat(9_000_000)}"`])
    expect(faultIn(text)).toBe(null);
});

test('depth counts lists and objects alike', () => {
  expect(nestsDeeper([{ a: [] }], 3)).toBe(false);
  expect(nestsDeeper([{ a: [1] }], 2)).toBe(true);
  expect(nestsDeeper(1, 0)).toBe(false);
});
