// A lock file that survives the death of its holder: it names a process and the moment that process began, so
// a crashed holder, a rebooted machine or a reused process id never locks anybody out. Plain JavaScript without
// dependencies, because the set-up script needs it under whatever Node there is, before anything is installed.
import { execFileSync } from 'node:child_process';
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

/**
 * Tries once to take the lock; never waits.
 * @param {string} path of the lock file, in a folder that exists
 * @returns {{ release(): void } | { heldBy: number }} the lock, or the id of the process that has it
 * @throws when the folder cannot be written to
 */
export function tryLock(path) {
  const mine = JSON.stringify({ pid: process.pid, started: processStart(process.pid) });
  // Written aside and then linked, so that nobody ever reads a lock that is half written.
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, mine, { mode: 0o644 });
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        return { release: () => release(path, mine) };
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const found = read(path);
      const pid = holder(found);
      if (pid !== undefined) return { heldBy: pid };
      discard(path, found);
    }
  } finally {
    unlinkSync(draft);
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

function holder(content) {
  try {
    const { pid, started } = JSON.parse(content);
    return Number.isInteger(pid) && started === processStart(pid) ? pid : undefined;
  } catch {
    return undefined; // empty, or no lock of ours
  }
}

function release(path, mine) {
  if (read(path) === mine) unlinkSync(path);
}

// Moved aside first and looked at again: should another process have replaced the dead lock in this very
// moment, its new lock is put back.
function discard(path, dead) {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
    if (read(aside) !== dead) linkSync(aside, path);
    unlinkSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
}

/** When the process began, in a form that is only good for comparing; throws when there is no such process. */
function processStart(pid) {
  if (process.platform === 'linux') {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name, in brackets and with anything in it. State is the first field
    // behind it, the start time the twentieth.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') throw new Error('dead, not yet buried');
    return `${boot} ${fields[19]}`;
  }
  return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
}
