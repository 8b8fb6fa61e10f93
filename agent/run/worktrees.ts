import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Item } from '@switchyard/shared/item';
import { branchesByItem, branchOf, claimBranch, type ItemBranch } from './branches.ts';
import { entriesOf, git, tryGit, uncommitted } from './git.ts';
import { TreeUsers } from './tree-users.ts';

/** Below the root of the repository, so that what is installed in its node_modules is found from there too. */
const folder = '.switchyard/worktrees';
/** In git's own folder of a worktree: it was checked out to the end. */
const wholeMark = 'switchyard-whole';
/** How long a runner whose claim was lost may take to end its command. */
const patienceMs = 30_000;

/** An item's own working tree. */
export interface Worktree {
  path: string;
  branch: ItemBranch;
}

/** A worktree cannot be made or used; the message says why. */
export class NoWorktree extends Error {
  override readonly name = 'NoWorktree';
}

/**
 * The worktree of an item: the one that an earlier attempt left, as it left it, or a new one on the item's branch.
 * Throws `NoWorktree` and `GitError`.
 */
export async function openWorktree(root: string, item: Item, base: string): Promise<Worktree> {
  const branch = await branchOf(root, item, base);
  const left = branch.isNew ? undefined : (await listWorktrees(root)).get(branch.name);
  if (left !== undefined) {
    if (!left.includes(`/${folder}/`))
      throw new NoWorktree(`Branch ${branch.name} is checked out in ${left}. Check out another one there.`);
    await nobodyUses(left, item);
    if (await isWhole(left)) {
      await rm(await gitFile(left, 'index.lock'), { force: true }); // of a git that was killed
      return { path: left, branch };
    }
    await git(root, 'worktree', 'remove', '--force', '--force', left);
  }
  const path = join(root, folder, branch.name.split('/').at(-1)!);
  await makeFolder(root);
  // Not known to git, so nothing that git could give back; but it may be somebody's work.
  if (existsSync(path)) await rename(path, `${path}.left-${Date.now()}`);
  const where = branch.isNew ? ['-b', branch.name, path, branch.base] : [path, branch.name];
  await git(root, 'worktree', 'add', '--quiet', ...where);
  if (branch.isNew) await claimBranch(root, branch, item);
  await writeFile(await gitFile(path, wholeMark), '');
  return { path, branch };
}

/** Removes a worktree whose work is committed; the branch stays. */
export async function removeWorktree(root: string, path: string): Promise<void> {
  // Forced, because git refuses where there are submodules; that nothing is lost was seen before.
  await git(root, 'worktree', 'remove', '--force', path);
}

/** Whether a worktree holds nothing that its branch does not: no changes, and no commits elsewhere. */
export async function isCommitted(path: string, branch: string): Promise<boolean> {
  if ((await uncommitted(path)).size > 0) return false;
  return (await tryGit(path, 'merge-base', '--is-ancestor', 'HEAD', `refs/heads/${branch}`)) !== null;
}

/** Worktrees of items: item id → path and branch. Forgets those whose folder is gone. */
export async function itemWorktrees(root: string): Promise<Map<string, { path: string; branch: string }>> {
  await git(root, 'worktree', 'prune');
  const worktrees = await listWorktrees(root);
  const found = new Map<string, { path: string; branch: string }>();
  for (const [id, branch] of await branchesByItem(root)) {
    const path = worktrees.get(branch);
    if (path?.includes(`/${folder}/`)) found.set(id, { path, branch });
  }
  return found;
}

/** branch → path */
async function listWorktrees(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  let path = '';
  for (const line of entriesOf(await git(root, 'worktree', 'list', '--porcelain', '-z'))) {
    if (line.startsWith('worktree ')) path = line.slice('worktree '.length);
    if (line.startsWith('branch refs/heads/')) found.set(line.slice('branch refs/heads/'.length), path);
  }
  return found;
}

/** A runner that was killed while git checked files out leaves a tree in which the others seem deleted. */
async function isWhole(path: string): Promise<boolean> {
  return existsSync(path) && existsSync(await gitFile(path, wholeMark));
}

async function gitFile(path: string, name: string): Promise<string> {
  const file = await tryGit(path, 'rev-parse', '--path-format=absolute', '--git-path', name);
  return file?.replace(/\n$/, '') ?? join(path, '.git', name);
}

async function nobodyUses(path: string, item: Item): Promise<void> {
  const users = new TreeUsers(path);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const others = users.processes();
    if (others.length === 0) break;
    if (performance.now() > deadline)
      throw new NoWorktree(
        `${path} is still in use for #${item.number} by the runner with process id ${others[0]}.`,
      );
    await sleep(100);
  }
}

/** Ignores itself, so that the repository does not show it as new. */
async function makeFolder(root: string): Promise<void> {
  await mkdir(join(root, folder), { recursive: true });
  const rules = join(root, folder, '.gitignore');
  if (!existsSync(rules)) await writeFile(rules, '*\n');
}
