// CPU seconds of processes, from /proc: on a machine that does other things too they are steadier than wall time.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = (() => {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100;
  } catch {
    return 100;
  }
})();

interface Stat {
  parent: number;
  /** Of the process, and of its children that are gone. */
  own: number;
  buried: number;
}

function stat(pid: number | string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, second and in brackets, may hold anything; the fields after it are numbers (proc(5)).
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const ticks = (first: number) => ((fields[first] ?? 0) + (fields[first + 1] ?? 0)) / ticksPerSecond;
    return { parent: fields[1] ?? 0, own: ticks(11), buried: ticks(13) };
  } catch {
    return null;
  }
}

/** CPU seconds so far; null where /proc does not tell. */
export function cpuOf(pid: number): number | null {
  return stat(pid)?.own ?? null;
}

/** The same for a process with its children, those that have ended included: PostgreSQL is one process a connection. */
export function cpuOfFamily(pid: number | null): number | null {
  const head = pid === null ? null : stat(pid);
  if (!head) return null;
  let sum = head.own + head.buried;
  for (const name of readdirSync('/proc')) {
    const process = /^\d+$/.test(name) ? stat(name) : null;
    if (process?.parent === pid) sum += process.own;
  }
  return sum;
}

export type CpuName = 'hub' | 'postgres' | 'generator' | 'echo';
export type Cpu = Record<CpuName, number | null>;

/** CPU seconds of each between two readings, per 1,000 cycles. */
export function cpuPerThousand(before: Cpu, after: Cpu, cycles: number): Cpu {
  const per = (name: CpuName) => {
    const [from, to] = [before[name], after[name]];
    return from === null || to === null || cycles === 0 ? null : ((to - from) / cycles) * 1_000;
  };
  return { hub: per('hub'), postgres: per('postgres'), generator: per('generator'), echo: per('echo') };
}
