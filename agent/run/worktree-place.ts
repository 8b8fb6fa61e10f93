import { join, relative } from 'node:path';
import type { Item } from '@switchyard/shared/item';
import { changedBetween, git, tryGit, uncommitted } from './git.ts';
import { Unfinished, type Left, type OpenPlace } from './place.ts';
import { TreeUsers } from './tree-users.ts';
import { watchTree, type TreeWatch } from './watch-tree.ts';
import { deleteBranch, isCommitted, openWorktree, removeWorktree, type Worktree } from './worktrees.ts';

export interface WorktreeOptions {
  /** The root of the repository. */
  root: string;
  /** The folder below it in which commands run. */
  folder: string;
  /** What new branches start from: anything git takes for a commit. */
  base: string;
  /** Whether to commit what a command leaves uncommitted. */
  commit: boolean;
  watches: boolean;
  project: string;
  agent: string;
  onTrouble: (message: string) => void;
}

/** Places of their own: each item gets a git worktree, and a branch that keeps the work. */
export function worktreePlaces(options: WorktreeOptions): OpenPlace {
  return async (item, attempt) => {
    const base = (await git(options.root, 'rev-parse', '--verify', `${options.base}^{commit}`)).trim();
    const worktree = await openWorktree(options.root, item, base);
    const { path, branch } = worktree;
    const use = new TreeUsers(path).enter();
    let watch: TreeWatch | null = null;
    try {
      if (options.watches) watch = await watchTree(path, options.onTrouble);
    } catch (error) {
      use.leave();
      throw error;
    }
    const shown = relative(options.root, path);
    let isRemoved = false;
    return {
      root: path,
      cwd: join(path, options.folder),
      branch: branch.name,
      worktree: path,
      watch,
      own: (paths) => [...paths],
      succeeded: async () => {
        await watch?.close(); // removing the worktree is no change of files
        const left = await finish(options, worktree, item, attempt);
        isRemoved = left.isRemoved;
        return left;
      },
      kept: () => (isRemoved ? '' : `The work so far is in ${shown}, branch ${branch.name}.`),
      leave: async () => {
        use.leave();
        await watch?.close();
      },
    };
  };
}

async function finish(
  options: WorktreeOptions,
  { path, branch }: Worktree,
  item: Item,
  attempt: number,
): Promise<Left & { isRemoved: boolean }> {
  const { root } = options;
  const shown = relative(root, path);
  const changed = await uncommitted(path);
  const unmerged = [...changed].filter(
    ([, state]) => state.includes('U') || state === 'AA' || state === 'DD',
  );
  if (unmerged.length > 0) throw new Unfinished(`It left merge conflicts, the first in ${unmerged[0]![0]}.`);
  if (changed.size > 0 && options.commit) await commitAll(options, path, item, attempt);
  const ref = `refs/heads/${branch.name}`;
  const files = await changedBetween(path, branch.base, (await tryGit(path, 'rev-parse', 'HEAD'))!.trim());
  if (!(await isCommitted(path, branch.name))) {
    const why = options.commit ? 'it has commits that are not on the branch' : 'it has uncommitted changes';
    return {
      files: [...new Set([...files, ...changed.keys()])],
      note: `Branch ${branch.name}, worktree ${shown} (kept: ${why})`,
      isRemoved: false,
    };
  }
  const commits = Number(await git(root, 'rev-list', '--count', `${branch.base}..${ref}`));
  await removeWorktree(root, path);
  if (commits > 0) {
    const tip = (await git(root, 'rev-parse', '--short', ref)).trim();
    return {
      files,
      note: `Branch ${branch.name} (${commits} commit${commits > 1 ? 's' : ''}, ${tip})`,
      isRemoved: true,
    };
  }
  await deleteBranch(root, branch.name);
  return { files, note: 'Nothing was changed, so there is no branch', isRemoved: true };
}

/** Without hooks and signatures: nobody is there to mend what a hook finds, or to type a password. */
async function commitAll(
  { project, agent }: WorktreeOptions,
  path: string,
  item: Item,
  attempt: number,
): Promise<void> {
  const message = `${item.title}\n\nItem #${item.number} of ${project} (${item.id}), attempt ${attempt}, by ${agent}.\n`;
  const hasIdentity = (await tryGit(path, 'var', 'GIT_COMMITTER_IDENT')) !== null;
  const identity = hasIdentity ? [] : ['-c', `user.name=${agent}`, '-c', 'user.email=switchyard@localhost'];
  await git(
    path,
    'add',
    '--all',
    '--',
    '.',
    ':(exclude,glob)**/node_modules/**',
    ':(exclude,glob)**/.switchyard/**',
  );
  await git(path, ...identity, 'commit', '--quiet', '--no-verify', '--no-gpg-sign', '-m', message);
}
