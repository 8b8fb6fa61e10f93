// `switchyard run` as a process of its own, in a folder of its own.
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { adminToken } from '../../../server/test/setup/hub.ts';
import { temporaryFolder } from '../../../server/test/setup/postgres.ts';
import { until } from '../../../server/test/setup/until.ts';

/** What npm links as `switchyard`. */
export const bin = fileURLToPath(new URL('../../bin.mjs', import.meta.url));

export interface RunnerProcess {
  process: ChildProcess;
  /** All that it has written so far, as a person sees it. */
  output(): string;
  /** Resolves once it has written that. */
  says(text: string | RegExp): Promise<void>;
  /** Resolves when it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export interface RunnerOptions {
  project: string;
  cwd: string;
  agent?: string;
  env?: NodeJS.ProcessEnv;
}

/** Starts `switchyard run FLAGS -- COMMAND`; it is killed when the test ends. */
export function startRunner(
  hub: { url: string },
  { project, cwd, agent = 'anna', env = {} }: RunnerOptions,
  flags: readonly string[],
  command: readonly string[],
): RunnerProcess {
  const child = spawn(process.execPath, [bin, 'run', ...flags, '--', ...command], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NO_COLOR: '1',
      SWITCHYARD_URL: hub.url,
      SWITCHYARD_TOKEN: adminToken,
      SWITCHYARD_PROJECT: project,
      SWITCHYARD_AGENT: agent,
      ...env,
    },
  });
  let written = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (written += text));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode }));
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    process: child,
    output: () => written,
    says: async (text) => {
      const said = () => (typeof text === 'string' ? written.includes(text) : text.test(written));
      await until(`the runner says ${text}`, said).catch((error: Error) => {
        throw new Error(`${error.message}; it said:\n${written}`);
      });
    },
    ended,
  };
}

/** An empty folder, deleted when the test ends. */
export function newFolder(): string {
  const folder = temporaryFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** A git repository with these files in its one commit. */
export function newRepository(files: Record<string, string> = { 'a.txt': 'a\n' }): string {
  const folder = newFolder();
  gitIn(folder, 'init', '--quiet', '--initial-branch=main');
  gitIn(folder, 'config', 'user.name', 'Tester');
  gitIn(folder, 'config', 'user.email', 'tester@example.com');
  writeFiles(folder, files);
  gitIn(folder, 'add', '--all');
  gitIn(folder, 'commit', '--quiet', '-m', 'Begin');
  return folder;
}

export function writeFiles(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** What git answers, without the last line break. */
export function gitIn(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).replace(/\n$/, '');
}

/** A command that runs a program of Node. */
export const nodeCommand = (program: string) => [process.execPath, '-e', program];

/** Whether a process runs: one that has ended and that nobody has reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
