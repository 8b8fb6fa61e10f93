// What the set-up steps share: the checkout's files, and running a program in it.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The content of a file of the checkout, or nothing when there is none. */
export function readText(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** As readText, parsed. */
export function readJson(path) {
  const text = readText(path);
  return text === undefined ? undefined : JSON.parse(text);
}

/**
 * Runs npm quietly in the checkout; what it said is shown when it fails.
 * @param {string[]} args for npm
 * @param {boolean} withInstalledNode whether it runs under the Node in node_modules, if there is one. `npm ci`
 *   deletes node_modules, and so the Node in it, which must not be the one it runs on.
 * @returns {Promise<void>} rejects when npm fails
 */
export function npm(args, withInstalledNode) {
  const others = (process.env.PATH ?? '').split(delimiter).filter((entry) => !entry.includes('node_modules'));
  const path = withInstalledNode ? [join(root, 'node_modules/.bin'), ...others] : others;
  const env = { ...process.env, PATH: path.join(delimiter) };
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    // Asked nicely, npm works on for many seconds, and a start right after this one would run into it. What it
    // leaves half done is done anew.
    const interrupt = () => child.kill('SIGKILL');
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, interrupt);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const each of signals) process.off(each, interrupt);
      if (code === 0) return resolve();
      if (signal) return reject(new Error('Interrupted. The next start does it anew.'));
      process.stderr.write(output);
      reject(new Error(`"npm ${args.join(' ')}" failed; see above.`));
    });
  });
}
