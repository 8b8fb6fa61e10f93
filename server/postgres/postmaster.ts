// Watches and ends PostgreSQL's main process, the postmaster, be it our child or one that outlived its hub.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runAs } from './account.ts';
import type { Account } from './account.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { removeSocketFolder } from './place.ts';

/** What the postmaster writes of itself into its data directory. */
export interface Postmaster {
  pid: number;
  port: number;
  socketFolder: string;
  ready: boolean;
}

/** How often to look, in milliseconds: the files and process of a server tell nobody when they change. */
const LOOK_EVERY = 10;
const FAST_STOP_TIMEOUT = 60_000;
const TELL_EVERY = 5_000;

/** What `postmaster.pid` says, true or not; nothing when there is none, or only half of one. */
export function readPidFile(database: string): Postmaster | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(database, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const [pid, , , port, socketFolder, , , status] = lines;
  if (!(Number(pid) > 0)) return undefined;
  return {
    pid: Number(pid),
    port: Number(port),
    socketFolder: socketFolder ?? '',
    ready: /^ready/.test(status ?? ''),
  };
}

/**
 * The postmaster that runs on this data directory, if one does. A file whose process is a stranger's, after a
 * crash or a reboot, is removed: PostgreSQL would refuse to start, and we would signal the stranger.
 */
export async function findPostmaster(database: string, account: Account): Promise<Postmaster | undefined> {
  const found = readPidFile(database);
  if (!found) return undefined;
  if (!isAlive(found.pid)) {
    removeSocketFolder(found.socketFolder); // the file itself is PostgreSQL's to judge: it looks for orphaned sessions
  } else if (await worksIn(found.pid, database, account)) {
    return found;
  } else {
    rmSync(join(database, 'postmaster.pid'), { force: true });
  }
  return undefined;
}

/** Whether there is such a process, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Waits until the postmaster takes connections; after a crash it first replays its log, however long that takes.
 * @param hasExited of a postmaster that is our child
 * @returns it, or nothing when it exits instead
 */
export async function becomeReady(
  database: string,
  pid: number,
  hasExited: () => boolean,
  log: (message: string) => void,
): Promise<Postmaster | undefined> {
  for (let waited = LOOK_EVERY; !hasExited() && isAlive(pid); waited += LOOK_EVERY) {
    const state = readPidFile(database);
    if (state?.pid === pid && state.ready) return state;
    if (waited % TELL_EVERY === 0)
      log(`Waiting for PostgreSQL, which may be recovering its data: ${waited / 1000} s so far`);
    await sleep(LOOK_EVERY);
  }
  return undefined;
}

/**
 * Ends the postmaster and waits until it is gone, as `pg_ctl stop -m fast` does: open transactions are rolled
 * back and everything is on disk. One that does not end within a minute is ended without its last checkpoint,
 * which costs the next start a replay of its log and nothing else.
 */
export async function stopPostmaster(database: string, pid: number): Promise<void> {
  for (const [signal, timeout] of [
    ['SIGINT', FAST_STOP_TIMEOUT],
    ['SIGQUIT', 10_000],
  ] as const) {
    if (!isRunning(database, pid)) return;
    process.kill(pid, signal);
    for (let waited = 0; waited < timeout && isRunning(database, pid); waited += LOOK_EVERY)
      await sleep(LOOK_EVERY);
  }
  if (isRunning(database, pid)) throw new EmbeddedPostgresError(`PostgreSQL (process ${pid}) does not stop.`);
}

// Removing its file is the last thing a postmaster does. Whether the process is there is not enough to ask: where
// nobody buries orphans (a container whose first process is no init), a dead one stays listed.
export function isRunning(database: string, pid: number): boolean {
  return readPidFile(database)?.pid === pid && isAlive(pid);
}

// A postmaster's working directory is its data directory, and no other program has reason to be there.
async function worksIn(pid: number, database: string, account: Account): Promise<boolean> {
  try {
    if (process.platform === 'linux') {
      // Read as the account: in a container, root itself may not look at others' processes.
      return (await runAs(account, 'readlink', [`/proc/${pid}/cwd`])).trim() === database;
    }
    const command = await runAs(account, 'ps', ['-ww', '-o', 'command=', '-p', String(pid)]);
    return command.includes('postgres') && command.includes(`-D ${database}`);
  } catch {
    return false;
  }
}
