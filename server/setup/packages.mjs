// Set-up step: the packages of package-lock.json.
import { join } from 'node:path';
import { npm, readJson } from './checkout.mjs';

export const what = 'Installing packages';

/**
 * Whether what is installed is not what package-lock.json asks for. npm notes what it has installed, once it is
 * through, in the lockfile's own form: comparing the two also takes an `npm install` by hand for what it is.
 */
export function isStale() {
  const wanted = readJson('package-lock.json')?.packages;
  if (!wanted)
    throw new Error('package-lock.json is missing. Get it back with "git checkout package-lock.json".');
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  if (!installed) return true;
  return Object.entries(wanted).some(([path, entry]) =>
    path.includes('node_modules') ? !isInstalled(entry, installed[path]) : wasEdited(path, entry),
  );
}

export async function run() {
  // Errors only: an older Node warns of every package that wants a newer one, which is about to be installed.
  // Always with the tools that build the board, also where NODE_ENV is production.
  await npm(
    ['ci', '--include=dev', '--include=optional', '--loglevel=error', '--no-audit', '--no-fund'],
    false,
  );
}

function isInstalled(wanted, found) {
  // Those for other platforms are left out. A folder that came from another machine has the wrong ones.
  if (!found) return wanted.optional === true;
  return found.version === wanted.version && found.integrity === wanted.integrity && fitsHere(found);
}

function fitsHere({ os, cpu }) {
  return allows(os, process.platform) && allows(cpu, process.arch);
}

/** As npm reads `os` and `cpu`: names, or names not to be, such as "!win32". */
function allows(names, mine) {
  if (names === undefined) return true;
  return [names].flat().some((name) => name === mine || (name.startsWith('!') && name !== `!${mine}`));
}

// Without an install since. npm ci will say so better than we could.
function wasEdited(path, locked) {
  const manifest = readJson(join(path, 'package.json'));
  const fields = ['dependencies', 'devDependencies', 'optionalDependencies', 'workspaces'];
  return !manifest || fields.some((field) => canonical(manifest[field]) !== canonical(locked[field]));
}

function canonical(value = {}) {
  return JSON.stringify(Object.entries(value).sort());
}
