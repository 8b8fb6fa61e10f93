import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMsMin = 10;
const pollMsMax = 200;
/** After this long without an end, somebody is told. */
const stuckMs = 10_000;

export interface Group {
  /** The id of the process that leads it. */
  id: number;
  /** `NAME=value` in the environment of what belongs to it also when it left the group. Seen on Linux only. */
  mark?: string;
}

/**
 * Ends a process group: TERM, and after `graceMs` KILL. Returns when nothing of it runs any more, which after a KILL
 * may take as long as a disk or a network drive keeps a process in the kernel: `onStuck` then hears of it, once.
 *
 * With a mark, also what left the group is ended: coding agents run their tools in sessions of their own, which
 * outlive an agent that is killed.
 */
export async function endGroup(
  group: Group,
  { graceMs, onStuck }: { graceMs: number; onStuck?: (pids: number[]) => void },
): Promise<void> {
  if (isGone(group)) return;
  signalGroup(group, 'SIGTERM');
  if (await goneWithin(group, graceMs)) return;
  signalGroup(group, 'SIGKILL');
  if (await goneWithin(group, stuckMs)) return;
  onStuck?.(membersOf(group) ?? [group.id]);
  // What was forked just while it was being killed is killed here.
  do signalGroup(group, 'SIGKILL');
  while (!(await goneWithin(group, stuckMs)));
}

async function goneWithin(group: Group, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = pollMsMin; ; pauseMs = Math.min(pauseMs * 1.5, pollMsMax)) {
    if (isGone(group)) return true;
    if (performance.now() >= deadline) return false;
    await sleep(pauseMs);
  }
}

/** Whether nothing of a group runs any more. A process that has ended and was not yet reaped does not run. */
function isGone(group: Group): boolean {
  if (group.mark === undefined && !exists(group.id)) return true;
  const members = membersOf(group);
  return members ? members.length === 0 : !exists(group.id);
}

function exists(groupId: number): boolean {
  try {
    process.kill(-groupId, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function signalGroup(group: Group, signal: NodeJS.Signals): void {
  send(-group.id, signal);
  for (const pid of membersOf(group) ?? []) send(pid, signal);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile; or not ours to end, which shows by its being there still.
  }
}

/** The processes of a group that run, those that left it included; null where there is no /proc. */
function membersOf({ id, mark }: Group): number[] | null {
  if (process.platform !== 'linux') return null;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongs(pid, id, mark));
}

function belongs(pid: number, groupId: number, mark: string | undefined): boolean {
  try {
    // "pid (name) state parent group …": the name may hold spaces and parentheses.
    const [state, , group] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ');
    if (state === 'Z' || state === 'X') return false;
    if (Number(group) === groupId) return true;
    return mark !== undefined && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
  } catch {
    return false; // ended meanwhile, or somebody else's
  }
}
