import { randomUUID } from 'node:crypto';
import { posix, relative } from 'node:path';
import type { HubAddress } from '../hub-address.ts';
import { DoNotRetry, Split, type Completion, type Handler, type WorkContext } from '../work/context.ts';
import { CannotStart, runChild, type Ending } from './child.ts';
import { conflictNotes } from './conflict-notes.ts';
import type { RunConsole } from './console.ts';
import { sayDuration } from './duration.ts';
import { itemEnvironment } from './environment.ts';
import { doNotRetryCode, giveBackCode, sayEnding } from './exit.ts';
import { FileReports } from './file-reports.ts';
import { GitError } from './git.ts';
import type { Guard } from './guard.ts';
import { itemText } from './item-text.ts';
import type { RunLog, RunLogs } from './logs.ts';
import { Unfinished, type OpenPlace, type Place } from './place.ts';
import { fillPlaceholders } from './placeholders.ts';
import { Tail } from './tail.ts';
import { NoWorktree } from './worktrees.ts';

export interface ItemHandlerOptions {
  /** The command for each item, with placeholders. */
  command: readonly string[];
  project: string;
  agent: string;
  hub: HubAddress;
  env: NodeJS.ProcessEnv;
  open: OpenPlace;
  timeoutMs?: number;
  /** Between TERM and KILL. */
  graceMs: number;
  guard: Guard;
  console: RunConsole;
  logs: RunLogs;
  /** Hears that the command cannot be run at all, or this machine is not fit to run it now. */
  onTrouble: (trouble: Trouble) => void;
  /** Hears how each command ended that was run. */
  onEnd: (end: { isWell: boolean; tookMs: number }) => void;
}

/** `broken`: no item can be done with this command. `later`: it may work in a while. */
export interface Trouble {
  kind: 'broken' | 'later';
  message: string;
}

/**
 * Works on an item by running a command: exit 0 completes it with the last lines as summary, anything else fails
 * it with them as reason.
 *
 *     const worker = client.work(itemHandler(options), { concurrency: 2 });
 */
export function itemHandler(options: ItemHandlerOptions): Handler {
  return async (context) => {
    const { item, attempt } = context;
    options.console.say(`▶ ${item.title}${attempt > 1 ? ` (attempt ${attempt})` : ''}`, {
      item: item.number,
    });
    context.onConflict(conflictNotes(item.number, options.console));
    const place = await openPlace(options, context);
    if (place instanceof Split) return place;
    const log = options.logs.open(item, attempt);
    try {
      return await workIn(place, options, context, log);
    } finally {
      log.close();
      await place.leave();
    }
  };
}

async function openPlace(options: ItemHandlerOptions, context: WorkContext): Promise<Place | Split> {
  const startedAt = performance.now();
  try {
    return await options.open(context.item, context.attempt);
  } catch (error) {
    const message = `There is no place to work in: ${(error as Error).message}`;
    if (isOfMachine(error)) return giveBack(options, { kind: 'later', message });
    options.onEnd({ isWell: false, tookMs: performance.now() - startedAt });
    throw error instanceof GitError || error instanceof NoWorktree ? new Error(message) : error;
  }
}

async function workIn(
  place: Place,
  options: ItemHandlerOptions,
  context: WorkContext,
  log: RunLog,
): Promise<Completion | Split> {
  const reports = new FileReports(context);
  const stopWatching = place.watch?.onChange((paths) => reports.add(place.own(paths)));
  const tail = new Tail();
  const startedAt = performance.now();
  let ending: Ending;
  try {
    ending = await run(place, options, context, tail, log);
  } catch (error) {
    if (error instanceof CannotStart) return startTrouble(options, error);
    throw error;
  } finally {
    if (!context.signal.aborted) await place.watch?.settled();
    stopWatching?.();
    await reports.settled();
  }
  const tookMs = performance.now() - startedAt;
  const said = `${sayEnding(ending, options.timeoutMs)} after ${sayDuration(tookMs)}`;
  log.note(said);
  if (ending.by === 'abort') {
    if (place.kept()) options.console.say(place.kept(), { item: context.item.number });
    throw context.signal.reason as Error;
  }
  const isWell = ending.by === 'itself' && ending.code === 0;
  options.onEnd({ isWell, tookMs });
  if (ending.by === 'itself' && ending.code === giveBackCode) {
    if (place.kept()) options.console.say(place.kept(), { item: context.item.number });
    return new Split([], tail.lastLine() || said);
  }
  if (!isWell) throw failure(ending, options, tail, place.kept());
  const left = await place.succeeded().catch((error: Error) => error);
  if (left instanceof Error) return unfinished(left, options, tail, place.kept());
  const { files, note } = left;
  reports.add(files);
  await reports.settled();
  return {
    result_summary: paragraphs(tail.toString() || `${options.command[0]}: ${said}, without output`, note),
    files_modified: reports.unsent,
  };
}

async function run(
  place: Place,
  options: ItemHandlerOptions,
  { item, attempt, signal }: WorkContext,
  tail: Tail,
  log: RunLog,
): Promise<Ending> {
  const { project, agent, console, hub, timeoutMs, graceMs, guard } = options;
  const { branch, worktree, root, cwd } = place;
  signal.throwIfAborted(); // while the place was made
  const folder = relative(root, cwd).split(/[\\/]/).join(posix.sep);
  const text = itemText(item, { attempt, project, agent, branch, folder });
  const runId = randomUUID();
  return runChild({
    command: fillPlaceholders(options.command, text),
    cwd,
    env: itemEnvironment(options.env, { text, hub, worktree, runId }),
    input: `${JSON.stringify(item)}\n`,
    mark: `SWITCHYARD_RUN_ID=${runId}`,
    signal,
    timeoutMs,
    graceMs,
    guard,
    onLine: (stream, line) => {
      tail.add(line);
      log.line(stream, line);
      console.output(item.number, stream, line);
    },
    onStuck: (pids) =>
      console.say(`cannot be ended, not even by KILL: process ${pids.join(', ')}. Waiting for it.`, {
        item: item.number,
        style: 'red',
      }),
  });
}

function failure(ending: Ending, options: ItemHandlerOptions, tail: Tail, kept: string): Error {
  const message = paragraphs(sayEnding(ending, options.timeoutMs), tail.toString(), kept);
  const isFinal = ending.by === 'itself' && ending.code === doNotRetryCode;
  return isFinal ? new DoNotRetry(message) : new Error(message);
}

/** The command ended well, but what it left is not in order, or could not be kept. */
function unfinished(error: Error, options: ItemHandlerOptions, tail: Tail, kept: string): Split {
  if (error instanceof Unfinished) throw new Error(paragraphs(error.message, tail.toString(), kept));
  const said = `Its work could not be committed: ${error.message}`;
  if (isOfMachine(error)) return giveBack(options, { kind: 'later', message: said });
  throw new Error(paragraphs(said, tail.toString(), kept));
}

/** Not the item's fault, so the item goes back untouched, and the runner hears of it. */
function giveBack({ onTrouble }: ItemHandlerOptions, trouble: Trouble): Split {
  onTrouble(trouble);
  return new Split([], trouble.message);
}

function startTrouble(options: ItemHandlerOptions, { code, message }: CannotStart): Split {
  const command = options.command[0]!;
  if (code === 'E2BIG')
    throw new DoNotRetry(
      `The item's text is too long for the arguments of ${command}. Let it read stdin, where the whole item is, in place of {description} or {files}.`,
    );
  if (code === 'ENOENT') return giveBack(options, broken(`${command}: there is no such command.`));
  if (code === 'EACCES' || code === 'ENOEXEC')
    return giveBack(
      options,
      broken(`${command} cannot be executed (${code}). Is it a program, and its mode +x?`),
    );
  if (code === 'ENOTDIR') return giveBack(options, { kind: 'broken', message });
  return giveBack(options, {
    kind: 'later',
    message: `${command} cannot be started now: ${message}`,
  });
}

const broken = (message: string): Trouble => ({ kind: 'broken', message });

/** What git writes when it is not the repository that is at fault. */
const ofMachine =
  /No space left|Disk quota exceeded|Read-only file system|Cannot allocate memory|Resource temporarily|Too many open files|unable to create thread/i;

/** The disk is full, or the like: it would be the same with any other item. */
function isOfMachine(error: unknown): boolean {
  if (error instanceof GitError) return ofMachine.test(error.message);
  return error instanceof Error && 'errno' in error;
}

const paragraphs = (...parts: string[]) => parts.filter((part) => part !== '').join('\n\n');
