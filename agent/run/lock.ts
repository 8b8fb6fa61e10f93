import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startOf } from './processes.ts';

const lookMs = 20;
let tickets = 0;

/**
 * Does something while nobody else on this machine does anything under the same lock file. Waits for a holder that is
 * alive, however long; a lock whose process is gone is taken over. The file lies in a folder that exists.
 *
 *     await withLock(join(gitFolder, 'switchyard.lock'), () => git(root, 'worktree', 'prune'));
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const ticket = `${file}.${process.pid}.${++tickets}`;
  writeFileSync(ticket, `${process.pid} ${startOf(process.pid)}`);
  try {
    // A link appears whole or not at all, with its content.
    while (!tryLink(ticket, file)) {
      if (!takeFromTheDead(file, `${ticket}.old`)) await sleep(lookMs * (0.5 + Math.random()));
    }
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(ticket, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a lock out of the way whose process is gone. Should another have been quicker, its lock is put back. */
function takeFromTheDead(file: string, aside: string): boolean {
  try {
    const holder = readFileSync(file, 'utf8');
    if (isAlive(holder)) return false;
    renameSync(file, aside);
    const isTheSame = readFileSync(aside, 'utf8') === holder;
    if (!isTheSame) tryLink(aside, file);
    rmSync(aside, { force: true });
    return isTheSame;
  } catch {
    return true; // it went meanwhile
  }
}

function isAlive(holder: string): boolean {
  const [pid = '', start] = holder.split(' ');
  return startOf(Number(pid)) === start;
}
