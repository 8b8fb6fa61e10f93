import fc from 'fast-check';
import picomatch from 'picomatch';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isGlob, normalizePath, pathFault } from '@switchyard/shared/paths';
import { patternsOf } from '../domain/patterns.ts';
import { createDatabase } from './setup/hub.ts';
import { migrate } from '../db/migrate.ts';

let sql: postgres.Sql;
beforeAll(async () => {
  const database = await createDatabase();
  await migrate(database);
  sql = postgres({ ...database, max: 1, onnotice: () => {} });
});
afterAll(() => sql.end());

/** Do these two lists share a file, by PostgreSQL's function that claims go by? */
async function overlap(pairs: [string, string][]): Promise<boolean[]> {
  const rows = pairs.map(([a, b], n) => ({
    n,
    a,
    b,
    a_pattern: patternsOf([a])[a] ?? null,
    b_pattern: patternsOf([b])[b] ?? null,
  }));
  const answers = await sql<{ yes: boolean }[]>`
    SELECT entries_overlap(a, nullif(a_pattern, 'null'), b, nullif(b_pattern, 'null')) AS yes
    FROM jsonb_to_recordset(${sql.json(rows as never)}) AS t (n int, a text, b text, a_pattern jsonb, b_pattern jsonb)
    ORDER BY n`;
  return answers.map(({ yes }) => yes);
}

const reference = (glob: string, path: string) =>
  picomatch.isMatch(path, glob.replace(/[()[\]+!@|^$]/g, '\\$&'), {
    dot: true,
    nobracket: true,
    noextglob: true,
    nonegate: true,
  });

// Few letters, so that much matches; letters that regexes and LIKE take for something else.
const name = fc.string({
  unit: fc.constantFrom('a', 'b', '.', '-', '+', '(', ')', '[', ']', '_', '%', '$', '^', '|', 'é'),
  minLength: 1,
  maxLength: 3,
});
const path = fc
  .array(name, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((one) => pathFault(one) === null && normalizePath(one) === one && one !== '.');
const globPart = fc.oneof(
  { weight: 3, arbitrary: name },
  fc.constantFrom('*', '**', '?', '*.a', 'a*', '*b*', '??', '{a,b}', '{a,.b}*', 'a?b'),
);
const glob = fc
  .array(globPart, { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'))
  .filter((one) => isGlob(one) && pathFault(one) === null && !one.endsWith('/'));

test('[PT1] a glob means the same to PostgreSQL as to picomatch', async () => {
  const pairs = fc.array(fc.tuple(glob, path), { minLength: 1, maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(pairs, async (tried) => {
      const found = await overlap(tried);
      tried.forEach(([pattern, file], n) => {
        expect(found[n], `${pattern} ~ ${file}`).toBe(reference(pattern, file));
      });
    }),
    { numRuns: 50 },
  );
});

test('[PT2] a folder means all below it, and nothing beside it', async () => {
  await fc.assert(
    fc.asyncProperty(path, path, async (folder, file) => {
      const below = `${folder}/${file}`;
      const [inside, beside, itself] = await overlap([
        [`${folder}/`, below],
        [`${folder}/`, `${folder}x/${file}`],
        [`${folder}/`, folder],
      ]);
      expect([inside, beside, itself]).toEqual([true, false, false]);
    }),
    { numRuns: 100 },
  );
});

test('[PT3] two patterns that share a file are found to overlap, whichever way round', async () => {
  const entry = fc.oneof(
    glob,
    path.map((one) => `${one}/`),
  );
  await fc.assert(
    fc.asyncProperty(entry, entry, fc.array(path, { minLength: 20, maxLength: 20 }), async (a, b, files) => {
      const matches = (pattern: string, file: string) =>
        pattern.endsWith('/') && !isGlob(pattern) ? file.startsWith(pattern) : reference(pattern, file);
      const share = files.some((file) => matches(a, file) && matches(b, file));
      const [one, other] = await overlap([
        [a, b],
        [b, a],
      ]);
      expect(one).toBe(other);
      if (share) expect([one, a, b]).toEqual([true, a, b]);
    }),
    { numRuns: 300 },
  );
});

test('[PT3] every kind of pattern overlaps with itself', async () => {
  const entries = [
    '**',
    '*',
    'src/**',
    'src/',
    'src/*.ts',
    '**/*.ts',
    '{a,b}/c',
    'a?c',
    'src/[id]/**',
    'x/**/y/',
  ];
  expect(await overlap(entries.map((one) => [one, one]))).toEqual(entries.map(() => true));
});
