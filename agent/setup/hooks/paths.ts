import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { normalizePath, pathFault } from '@switchyard/shared/paths';
import { realpathOf, repositoryRoot } from '../agent-name.ts';

/**
 * The paths that a project knows these files by: relative to the root of the repository that `folder` lies in, or of
 * the worktree of it that a file lies in. Files anywhere else are left out.
 */
export function projectPaths(folder: string, files: readonly string[]): string[] {
  const root = repositoryRoot(folder);
  return [...new Set(files.flatMap((file) => projectPath(root, realpathOf(file)) ?? []))];
}

function projectPath(root: string, file: string): string | null {
  const nearest = repositoryRoot(dirname(file));
  const path = pathBelow(nearest !== root && isWorktreeOf(nearest, root) ? nearest : root, file);
  return path === null || pathFault(path) !== null ? null : normalizePath(path);
}

function pathBelow(root: string, file: string): string | null {
  const path = relative(root, file);
  return path === '' || path === '..' || path.startsWith(`..${sep}`) ? null : path.split(sep).join('/');
}

/** Whether both are checked out of one repository: the same file is one file of the project, wherever it is edited. */
function isWorktreeOf(folder: string, root: string): boolean {
  const [one, other] = [repositoryOf(folder), repositoryOf(root)];
  return one !== null && one === other;
}

/** The folder that holds a checkout's history. `.git` of a worktree is a file that says where it is. */
function repositoryOf(root: string): string | null {
  const dotGit = join(root, '.git');
  if (!existsSync(dotGit)) return null;
  try {
    const place = /^gitdir: (.+)$/m.exec(readFileSync(dotGit, 'utf8'))?.[1];
    if (place === undefined) return null;
    const worktree = /^(.*)[/\\]worktrees[/\\][^/\\]+$/.exec(resolve(root, place.trim()));
    return worktree ? realpathOf(worktree[1]!) : null; // a submodule is part of the project around it
  } catch {
    return realpathOf(dotGit); // a folder
  }
}
