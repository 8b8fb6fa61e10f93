import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryNeutral } from './environment.ts';
import { isNobodysWork } from './ignored.ts';

/** git said no. The message is what it wrote. */
export class GitError extends Error {
  override readonly name = 'GitError';
}

/** Another git holds one of its lock files just now. */
const locked =
  /\.lock['"]?: File exists|could not lock|cannot lock|Unable to create '.*\.lock'|another git process/i;
const triesMax = 40;
const pauseMs = 50;
/** Nobody sits here to answer, and nothing is to go on in the background. */
const calm = ['-c', 'gc.auto=0', '-c', 'maintenance.auto=false', '-c', 'core.quotePath=false'];

/**
 * Runs git in a folder and answers with what it wrote. Runners that share a repository meet at its lock files: then
 * it is tried again for some seconds. Throws `GitError`.
 *
 *     const head = (await git(root, 'rev-parse', 'HEAD')).trim();
 */
export async function git(cwd: string, ...args: string[]): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    const { error, stdout, stderr } = await once(cwd, args);
    if (!error) return stdout;
    const message = stderr.trim() || error.message;
    if (!locked.test(message) || tries === triesMax)
      throw new GitError(`git ${args.find((argument) => !argument.startsWith('-'))}: ${message}`);
    await sleep(pauseMs * (0.5 + Math.random()) * Math.min(tries, 10));
  }
}

function once(cwd: string, args: readonly string[]) {
  return new Promise<{ error: Error | null; stdout: string; stderr: string }>((resolve) => {
    const env = { ...repositoryNeutral(process.env), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
    // A status of a hundred thousand files is some megabytes.
    const options = { cwd, env, maxBuffer: 256 * 1024 * 1024 };
    execFile('git', [...calm, ...args], options, (error, stdout, stderr) =>
      resolve({ error, stdout, stderr }),
    );
  });
}

/** What git answers, or null where it says no. */
export async function tryGit(cwd: string, ...args: string[]): Promise<string | null> {
  return git(cwd, ...args).catch((error: unknown) => {
    if (error instanceof GitError) return null;
    throw error;
  });
}

/** The root of the working tree that a folder is in; null outside of any, and where there is no git. */
export async function repositoryRoot(folder: string): Promise<string | null> {
  const root = await tryGit(folder, 'rev-parse', '--show-toplevel');
  return root === null ? null : realpath(root.replace(/\n$/, ''));
}

/** Splits what `-z` separates. */
export function entriesOf(output: string): string[] {
  return output.split('\0').filter((entry) => entry !== '');
}

/** Changed and new files of a working tree that nobody has committed: path → state, as in `git status --porcelain`. */
export async function uncommitted(root: string): Promise<Map<string, string>> {
  const args = ['status', '--porcelain', '-z', '--untracked-files=all', '--no-renames'];
  const found = entriesOf(await git(root, '--no-optional-locks', ...args));
  const states = found.map((entry): [string, string] => [entry.slice(3), entry.slice(0, 2)]);
  return new Map(states.filter(([path, state]) => state !== '??' || !isNobodysWork(path)));
}

/** Files that differ between two commits. */
export async function changedBetween(root: string, from: string, to: string): Promise<string[]> {
  if (from === to) return [];
  return entriesOf(await git(root, 'diff', '--name-only', '--no-renames', '-z', from, to));
}
