import type { Call } from '../call.ts';

/**
 * Whether a project has nothing to do, and will not have by itself: nothing is ready for these task types, nobody
 * works on anything (it could come back, or free something), and no failed item is to be tried again.
 */
export async function isIdle(call: Call, project: string, taskTypes: readonly string[]): Promise<boolean> {
  const types = taskTypes.length > 0 ? { task_type: [...taskTypes] } : {};
  const ready = await call('item.list', { project, ready: true, ...types, limit: 1 });
  if (ready.total > 0) return false;
  const { progress } = await call('project.progress', { project });
  if (progress.claimed > 0) return false;
  if (progress.failed === 0) return true;
  // An item that waits for its retry was changed at most five minutes ago: it is among the newest.
  const failed = await call('item.list', { project, status: ['failed'], sort: '-updated', limit: 500 });
  return failed.items.every(({ retry_at }) => retry_at === null);
}
