import { relative } from 'node:path';
import type { Call } from '../call.ts';
import type { RunConsole } from './console.ts';
import { TreeUsers } from './tree-users.ts';
import { isCommitted, itemWorktrees, removeWorktree } from './worktrees.ts';

const namedMax = 10;

/**
 * Looks at the worktrees that earlier runs left. One whose item is done or cancelled goes, when all in it is
 * committed; the others are named, and are taken up again when their item is.
 */
export async function tidyWorktrees(root: string, call: Call, to: RunConsole): Promise<void> {
  const left: string[] = [];
  for (const [id, { path, branch }] of await itemWorktrees(root)) {
    if (new TreeUsers(path).processes().length > 0) continue;
    const item = await call('item.get', { id }).then(
      (found) => found.item,
      () => null, // of another hub, or of a project that is gone
    );
    const isOver = item !== null && ['done', 'cancelled'].includes(item.status) && !item.stopping;
    if (isOver && (await isCommitted(path, branch))) {
      await removeWorktree(root, path);
      to.say(`Removed ${relative(root, path)}: #${item.number} is ${item.status}, its work is on ${branch}.`);
    } else left.push(relative(root, path));
  }
  if (left.length === 0) return;
  const more = left.length > namedMax ? `, and ${left.length - namedMax} more` : '';
  to.say(
    `Earlier runs left work in ${left.slice(0, namedMax).join(', ')}${more}. Who gets the item goes on there.`,
  );
}
