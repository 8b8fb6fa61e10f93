import { describe, expect, test } from 'vitest';
import { Brake } from './brake.ts';
import { slugOf } from './branches.ts';
import { parseDuration, sayDuration } from './duration.ts';
import { coloured, Lines } from './lines.ts';
import { isPlanned } from './planned.ts';
import { Tail } from './tail.ts';

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['250ms', 250],
    ['1d', 86_400_000],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each(['', '10', 's', '10 m', '-5s', '5s!', '0s', '25d', '1e3s'])('"%s" is none', (text) => {
    expect(() => parseDuration(text)).toThrow('not a duration');
  });

  test.each([
    [400, '0.4 s'],
    [9_949, '9.9 s'],
    [9_951, '10 s'],
    [119_400, '119 s'],
    [120_000, '2 min'],
    [7_199_999, '2 h'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms is said as %s', (ms, text) => expect(sayDuration(ms)).toBe(text));
});

describe('lines', () => {
  const read = (...chunks: (string | number[])[]) => {
    const heard: string[] = [];
    const lines = new Lines((line) => heard.push(line));
    for (const chunk of chunks) lines.write(Buffer.from(chunk as string));
    lines.end();
    return heard;
  };

  test('come whole, however they are cut', () => {
    const text = 'one\r\ntwo €\n\nfour';
    for (let cut = 0; cut <= text.length; cut += 1)
      expect(read(text.slice(0, cut), text.slice(cut))).toEqual(['one', 'two €', '', 'four']);
    expect(read([0xe2, 0x82], [0xac, 0x0a])).toEqual(['€']);
    expect(read([0xff, 0x41, 0x0a])).toEqual(['\ufffdA']);
  });

  test('stand as they were rewritten last', () => {
    expect(read('1 %\r2 %\r', '3 %\r\n', 'a\rb')).toEqual(['3 %', 'b']);
    expect(read('10 %\r', '\n')).toEqual(['10 %']);
  });

  test('are broken where they do not end', () => {
    const heard = read(...Array.from({ length: 50 }, () => 'x'.repeat(1_000)));
    expect(heard.map(({ length }) => length)).toEqual([8_192, 8_192, 8_192, 8_192, 8_192, 8_192, 848]);
  });

  test('keep their colours on a terminal, and nothing that moves its cursor', () => {
    expect(coloured('\x1b[31mred\x1b[2J\x07 \x1b]0;x\x07end')).toBe('\x1b[31mred end\x1b[0m');
    expect(coloured('plain')).toBe('plain');
  });
});

test('the tail of an output is its last lines, and bounded', () => {
  const tail = new Tail();
  expect(tail.toString()).toBe('');
  for (let n = 1; n <= 30; n += 1) tail.add(`line ${n}`);
  tail.add('  ');
  expect(tail.toString()).toMatch(/^line 12\n[\s\S]*\nline 30$/);
  expect(tail.lastLine()).toBe('line 30');
  for (let n = 1; n <= 20; n += 1) tail.add('😀'.repeat(400));
  expect(tail.toString().length).toBeLessThanOrEqual(4_000);
  expect(tail.toString().isWellFormed()).toBe(true);
});

test.each([
  [['src/a.ts'], 'src/a.ts', true],
  [['src/'], 'src/deep/a.ts', true],
  [['src/*.ts'], 'src/a.ts', true],
  [['src/*.ts'], 'src/deep/a.ts', false],
  [['src/**/*.ts'], 'src/a.ts', true],
  [['src/**/*.ts'], 'src/very/deep/.a.ts', true],
  [['**'], 'any/thing', true],
  [['**/*.{js,ts}'], 'a.ts', true],
  [['**/*.{js,ts}'], 'a.tsx', false],
  [['a?.ts'], 'ab.ts', true],
  [['app/[id]/*.ts'], 'app/[id]/page.ts', true],
  [['app/[id]/*.ts'], 'app/i/page.ts', false],
  [['a.ts'], 'axts', false],
  [['lib/{a,b*}/'], 'lib/bc/x.ts', true],
  [[], 'a.ts', false],
])('%j plan %s: %s', (planned, file, is) => expect(isPlanned(planned, file)).toBe(is));

test.each([
  ['Fix the tests', 'fix-the-tests'],
  ['--help; rm -rf / $(x) ../..', 'help-rm-rf-x'],
  ['Überprüfe “alles”', 'uberprufe-alles'],
  ['日本語', ''],
  ['a'.repeat(39) + ' b', 'a'.repeat(39)],
])('%s makes the name %s', (title, slug) => expect(slugOf(title)).toBe(slug));

test('five quick failures in a row are a reason to wait, and each that follows to wait longer', () => {
  const brake = new Brake();
  const fails = (tookMs = 100) => brake.ended({ isWell: false, tookMs });
  expect([fails(), fails(), fails(), fails(), fails()]).toEqual([null, null, null, null, 30_000]);
  expect([fails(), fails(), fails(), fails(), fails(), fails()]).toEqual([
    60_000, 120_000, 240_000, 480_000, 600_000, 600_000,
  ]);
  expect(brake.ended({ isWell: true, tookMs: 100 })).toBe(null);
  expect([fails(), fails(), fails(), fails(10_000), fails()]).toEqual([null, null, null, null, null]);
});
