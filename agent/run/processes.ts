import { readFileSync } from 'node:fs';

/**
 * When a process was started, in the system's own ticks: a process id alone may be another's by now. Empty when there
 * is no such process; where there is no /proc, the same for all that live.
 */
export function startOf(pid: number): string {
  if (process.platform === 'linux') {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)!.split(' ')[19]!;
    } catch {
      return '';
    }
  }
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? 'alive' : '';
  }
}
