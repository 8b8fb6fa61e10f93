import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Item } from '@switchyard/shared/item';
import { branchesByItem, branchOf, makeBranch, type ItemBranch } from './branches.ts';
import { entriesOf, git, tryGit, uncommitted } from './git.ts';
import { withLock } from './lock.ts';
import { TreeUsers } from './tree-users.ts';

/** Below the root of the repository, so that what is installed in its node_modules is found from there too. */
const folder = '.switchyard/worktrees';
/** In git's own folder of a worktree: it was checked out to the end. */
const wholeMark = 'switchyard-whole';

/** An item's own working tree. */
export interface Worktree {
  path: string;
  branch: ItemBranch;
}

/** How long a runner that lost its claim may take to end its command. */
const patienceMs = 30_000;
const lookMs = 200;

/** A worktree cannot be made or used; the message says why. */
export class NoWorktree extends Error {
  override readonly name: string = 'NoWorktree';
}

/** Somebody still works in it. */
class InUse extends NoWorktree {
  override readonly name = 'InUse';
}

/**
 * The worktree of an item: the one that an earlier attempt left, as it left it, or a new one on the item's branch.
 * Throws `NoWorktree` and `GitError`.
 */
export async function openWorktree(root: string, item: Item, base: string): Promise<Worktree> {
  const { path, branch, isThere } = await findOrMake(root, item, base);
  await rm(await gitFile(path, 'index.lock'), { force: true }); // of a git that was killed
  if (!isThere) {
    await git(path, 'reset', '--quiet', '--hard'); // takes its time: not under the lock
    await writeFile(await gitFile(path, wholeMark), '');
  }
  return { path, branch };
}

async function findOrMake(root: string, item: Item, base: string): Promise<Worktree & { isThere: boolean }> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await underLock(root, () => findOrMakeLocked(root, item, base));
    } catch (error) {
      if (!(error instanceof InUse) || performance.now() > deadline) throw error;
      await sleep(lookMs);
    }
  }
}

async function findOrMakeLocked(
  root: string,
  item: Item,
  base: string,
): Promise<Worktree & { isThere: boolean }> {
  const branch = await branchOf(root, item, base);
  const left = branch.isNew ? undefined : (await listWorktrees(root)).get(branch.name);
  if (left !== undefined) {
    checkFree(left, branch, item);
    if (await isWhole(left)) return { path: left, branch, isThere: true };
    if (existsSync(left)) await git(root, 'worktree', 'remove', '--force', '--force', left);
    else await git(root, 'worktree', 'prune');
  }
  const path = join(root, folder, branch.name.split('/').at(-1)!);
  await makeFolder(root);
  // Not known to git, so nothing that git could give back; but it may be somebody's work.
  if (existsSync(path)) await rename(path, `${path}.left-${Date.now()}`);
  if (branch.isNew) await makeBranch(root, branch, item);
  await git(root, 'worktree', 'add', '--quiet', '--no-checkout', path, branch.name);
  return { path, branch, isThere: false };
}

/** What git does to its list of worktrees is not safe beside another that does the same. */
async function underLock<T>(root: string, work: () => Promise<T>): Promise<T> {
  const common = await git(root, 'rev-parse', '--path-format=absolute', '--git-common-dir');
  return withLock(join(common.trim(), 'switchyard.lock'), work);
}

/** Removes a worktree whose work is committed; the branch stays. */
export async function removeWorktree(root: string, path: string): Promise<void> {
  // Forced, because git refuses where there are submodules; that nothing is lost was seen before.
  await underLock(root, () => git(root, 'worktree', 'remove', '--force', path));
}

/** Deletes a branch that holds nothing of its own. */
export async function deleteBranch(root: string, branch: string): Promise<void> {
  await underLock(root, () => git(root, 'branch', '--quiet', '-D', branch));
}

/** Whether a worktree holds nothing that its branch does not: no changes, and no commits elsewhere. */
export async function isCommitted(path: string, branch: string): Promise<boolean> {
  if ((await uncommitted(path)).size > 0) return false;
  return (await tryGit(path, 'merge-base', '--is-ancestor', 'HEAD', `refs/heads/${branch}`)) !== null;
}

export interface ItemWorktree {
  path: string;
  branch: string;
}

/** Worktrees of items, by item id. Forgets those whose folder is gone. */
export async function itemWorktrees(root: string): Promise<Map<string, ItemWorktree>> {
  await underLock(root, () => git(root, 'worktree', 'prune'));
  const worktrees = await listWorktrees(root);
  const found = new Map<string, ItemWorktree>();
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

function checkFree(path: string, { name }: ItemBranch, { number }: Item): void {
  if (!path.includes(`/${folder}/`))
    throw new NoWorktree(`Branch ${name} is checked out in ${path}. Check out another one there.`);
  const [user] = new TreeUsers(path).processes();
  if (user !== undefined)
    throw new InUse(`${path} is still in use for #${number} by the runner with process id ${user}.`);
}

/** Where worktrees go. Ignores itself, so that the repository does not show it as new. */
export async function makeFolder(root: string): Promise<void> {
  await mkdir(join(root, folder), { recursive: true });
  const rules = join(root, folder, '.gitignore');
  if (!existsSync(rules)) await writeFile(rules, '*\n');
}
