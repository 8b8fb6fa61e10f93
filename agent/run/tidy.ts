import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import type { Call } from '../call.ts';
import type { RunConsole } from './console.ts';
import { GitError } from './git.ts';
import { TreeUsers } from './tree-users.ts';
import { isCommitted, itemWorktrees, removeWorktree, type ItemWorktree } from './worktrees.ts';

const namedMax = 10;

/**
 * Looks at the worktrees that earlier runs left. One whose item is done or cancelled goes, when all in it is
 * committed; the others are named, and are taken up again when their item is.
 */
export async function tidyWorktrees(root: string, call: Call, to: RunConsole): Promise<void> {
  const left: string[] = [];
  try {
    for (const [id, worktree] of await itemWorktrees(root)) {
      if (new TreeUsers(worktree.path).processes().length > 0) continue;
      const overAs = await tidyOne(root, call, id, worktree);
      const shown = relative(root, worktree.path);
      if (overAs) to.say(`Removed ${shown}: ${overAs}, its work is on ${worktree.branch}.`);
      else if (existsSync(worktree.path)) left.push(shown);
    }
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    to.say(`Not all of what earlier runs left was looked at: ${error.message}`, { style: 'yellow' });
  }
  if (left.length === 0) return;
  const more = left.length > namedMax ? `, and ${left.length - namedMax} more` : '';
  to.say(
    `Earlier runs left work in ${left.slice(0, namedMax).join(', ')}${more}. Who gets the item goes on there.`,
  );
}

/** Removes a worktree that nobody needs; answers how its item ended, or null when it stays. */
async function tidyOne(
  root: string,
  call: Call,
  id: string,
  { path, branch }: ItemWorktree,
): Promise<string | null> {
  const item = await call('item.get', { id }).then(
    (found) => found.item,
    () => null, // of another hub, or of a project that is gone
  );
  const isOver = item !== null && ['done', 'cancelled'].includes(item.status) && !item.stopping;
  try {
    if (!isOver || !(await isCommitted(path, branch))) return null;
    await removeWorktree(root, path);
    return `#${item.number} is ${item.status}`;
  } catch (error) {
    if (error instanceof GitError && !existsSync(path)) return null; // its own runner has just removed it
    throw error;
  }
}
