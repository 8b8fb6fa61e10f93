// Set-up step: the web app, built into web/build, which the hub serves.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npm, readJson, readText, root } from './checkout.mjs';

export const what = 'Building the board';

/** Says which sources the build was made of. Goes when the packages are installed anew: they are in it too. */
const STAMP = 'node_modules/.cache/switchyard/board';

/** Whether the build is missing or its sources have changed since. */
export function isStale() {
  if (!readJson('web/package.json')?.scripts?.build) return false;
  return !existsSync(join(root, 'web/build')) || readText(STAMP) !== hashSources();
}

export async function run() {
  const sources = hashSources(); // before it begins: somebody may edit while it runs
  const stamp = join(root, STAMP);
  rmSync(stamp, { force: true });
  await npm(['run', 'build', '-w', 'web'], true);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
}

function hashSources() {
  const hash = createHash('sha256');
  for (const path of ['package-lock.json', ...filesIn('web'), ...filesIn('shared')]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Sources below a folder, in order. Hidden files, tests, prose and what is built are none. */
function filesIn(folder) {
  const others = /^(\..*|node_modules|build|tests?|coverage|.*\.test\.ts|.*\.md)$/;
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !others.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesIn(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
    );
}
