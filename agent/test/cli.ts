// The command line, in this process and as one of its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PassThrough, Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { adminToken } from '../../server/test/setup/hub.ts';
import { runCli } from '../cli/main.ts';
import type { TextStream } from '../cli/output.ts';

export const bin = fileURLToPath(new URL('../bin.mjs', import.meta.url));

type Env = Record<string, string>;

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Besides the hub's address and token; an empty text takes one out. */
  env?: Env;
  stdin?: string;
  /** Columns of a terminal that stdout is to be; a pipe when left out. */
  columns?: number;
}

export const envOf = (hub: { url: string }, env: Env = {}): Env => ({
  SWITCHYARD_URL: hub.url,
  SWITCHYARD_TOKEN: adminToken,
  ...env,
});

/** Runs one command line in this process: quicker than a process of its own, and all the same but for the process. */
async function cli(
  hub: { url: string },
  args: readonly string[],
  { env, stdin, columns }: RunOptions = {},
): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough() as TextStream & PassThrough, new PassThrough()];
  if (columns !== undefined) Object.assign(stdout, { isTTY: true, columns });
  const input = Object.assign(Readable.from(stdin === undefined ? [] : [stdin]), {
    isTTY: stdin === undefined,
  });
  const code = await runCli(args, { stdin: input, stdout, stderr, env: envOf(hub, env) });
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

const textOf = (stream: PassThrough) => String(stream.read() ?? '');

/** The same with `--json`: the value. */
async function json<T = Record<string, never>>(
  hub: { url: string },
  args: readonly string[],
  options?: RunOptions,
): Promise<T> {
  return JSON.parse((await cli(hub, [...args, '--json'], options)).stdout) as T;
}

/** Words as a shell would part them, with single quotes. */
const wordsOf = (line: string) => (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ''));

/** A prompt of the agent `anna` in a project: runs command lines, for their text, their JSON, or their exit code. */
export function promptOf(where: () => { hub: { url: string }; project: string }) {
  const within = ({ env, ...options }: RunOptions = {}): RunOptions => ({
    ...options,
    env: { SWITCHYARD_PROJECT: where().project, SWITCHYARD_AGENT: 'anna', ...env },
  });
  const run = (line: string, options?: RunOptions) => cli(where().hub, wordsOf(line), within(options));
  return {
    run,
    ask: <T>(line: string, options?: RunOptions) => json<T>(where().hub, wordsOf(line), within(options)),
    codeOf: async (line: string, options?: RunOptions) => (await run(line, options)).code,
  };
}

export interface Child {
  process: ChildProcess;
  /** All that it has written so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<Ran>;
}

/** Starts `switchyard` as a process of its own; it is killed when the test ends. */
export function start(command: readonly string[], env: Env, cwd?: string): Child {
  const [program, ...args] = command;
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program!, args, {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, ...written }));
  return { process: child, stdout: () => written.stdout, stderr: () => written.stderr, ended };
}
