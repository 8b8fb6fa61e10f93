import type { Progress } from '@switchyard/shared/agent';
import { formatCount } from '#lib/format.ts';

/** What has happened and how it stands, in a sentence or two to be read out. */
export function summary(changes: number, progress: Progress, needs: number): string {
  const wanted = progress.total - progress.cancelled;
  return [
    `${formatCount(changes)} ${changes === 1 ? 'change' : 'changes'}.`,
    `${formatCount(progress.done)} of ${formatCount(wanted)} done, ${formatCount(progress.claimed)} in work, ${formatCount(progress.failed)} failed.`,
    needs === 0 ? 'All clear.' : `${formatCount(needs)} ${needs === 1 ? 'needs' : 'need'} you.`,
  ].join(' ');
}
