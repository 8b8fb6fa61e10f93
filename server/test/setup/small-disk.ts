import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './postgres.ts';

/** A folder on a disk of its own, or why this machine does not give one: only root on Linux may mount. */
export function smallDisk(megabytes: number): { folder: string } | { refused: string } {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', folder]);
  if (mounted.status !== 0) return { refused: mounted.error?.message ?? mounted.stderr.toString().trim() };
  onTestFinished(() => void spawnSync('umount', ['--lazy', folder]));
  return { folder };
}
