import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Guard } from './guard.ts';
import { Lines } from './lines.ts';
import { endGroup, type Group } from './process-group.ts';

export type Stream = 'stdout' | 'stderr';

export interface ChildOptions {
  /** The command and its arguments, passed as they stand: no shell reads them. */
  command: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** Written to its stdin, which then ends. */
  input: string;
  /** `NAME=value` of its environment by which what leaves its process group is known; see {@link Group}. */
  mark: string;
  onLine: (stream: Stream, line: string) => void;
  /** Hears what cannot be ended, not even by KILL. */
  onStuck: (pids: number[]) => void;
  /** Ends it. */
  signal: AbortSignal;
  timeoutMs?: number;
  /** Between TERM and KILL. */
  graceMs: number;
  guard: Guard;
}

/** How a command ended by itself, or that it was ended: because it took too long, or because `signal` said so. */
export type Ending =
  { by: 'itself'; code: number | null; signal: NodeJS.Signals | null } | { by: 'timeout' } | { by: 'abort' };

/** A command that could not be started. `code` is the system's: ENOENT, EACCES, E2BIG … */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Output still under way when the group is gone; longer, a process that left the group keeps the pipe open. */
const drainMs = 500;

/**
 * Runs a command in a process group of its own, and returns when nothing of that group runs any more, however it
 * ended: also what it left in the background is over by then. Throws `CannotStart`.
 */
export async function runChild(options: ChildOptions): Promise<Ending> {
  const { signal, timeoutMs, graceMs, guard, mark, onStuck } = options;
  const child = await start(options);
  const group: Group = { id: child.pid!, mark };
  guard.watch(group.id);
  try {
    const closed = readOutput(child, options.onLine);
    child.stdin.on('error', () => {}); // a command need not read it
    child.stdin.end(options.input);
    const ending = await endingOf(child, signal, timeoutMs);
    // A daemon that left the group of a command that is done was meant to stay; of one that is stopped, nothing is.
    await endGroup(ending.by === 'itself' ? { id: group.id } : group, { graceMs, onStuck });
    await Promise.race([closed, sleep(drainMs)]);
    return ending;
  } finally {
    child.stdout.destroy();
    child.stderr.destroy();
    guard.forget(group.id);
  }
}

async function start({ command, cwd, env }: ChildOptions): Promise<ChildProcessWithoutNullStreams> {
  const [file, ...args] = command;
  try {
    const child = spawn(file!, args, { cwd, env, detached: true, stdio: 'pipe' });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    const { code = 'UNKNOWN', message } = error as NodeJS.ErrnoException;
    const there = await stat(cwd).then(
      (found) => found.isDirectory(),
      () => false,
    );
    // Node says ENOENT of the command also when it is the folder that is missing.
    if (!there) throw new CannotStart('ENOTDIR', `There is no folder ${cwd} to run it in.`);
    throw new CannotStart(code, message);
  }
}

/** Resolves when all output was read. */
async function readOutput(
  child: ChildProcessWithoutNullStreams,
  onLine: ChildOptions['onLine'],
): Promise<void> {
  const read = (stream: Stream) => {
    const lines = new Lines((line) => onLine(stream, line));
    child[stream].on('data', (bytes: Buffer) => lines.write(bytes));
    return new Promise<void>((resolve) => {
      child[stream].on('close', () => {
        lines.end();
        resolve();
      });
    });
  };
  await Promise.all([read('stdout'), read('stderr')]);
}

async function endingOf(
  child: ChildProcessWithoutNullStreams,
  signal: AbortSignal,
  timeoutMs: number | undefined,
): Promise<Ending> {
  const settled = Promise.withResolvers<Ending>();
  const abort = () => settled.resolve({ by: 'abort' });
  child.once('exit', (code, killed) => settled.resolve({ by: 'itself', code, signal: killed }));
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  const timer = timeoutMs && setTimeout(() => settled.resolve({ by: 'timeout' }), timeoutMs);
  try {
    return await settled.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
