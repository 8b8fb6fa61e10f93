import type { Item } from '@switchyard/shared/item';
import { changedBetween, tryGit, uncommitted } from './git.ts';
import type { OpenPlace, Place } from './place.ts';
import { isPlanned } from './planned.ts';
import { TreeUsers } from './tree-users.ts';
import type { TreeWatch } from './watch-tree.ts';

export interface SharedTree {
  /** The root of the repository, or the folder itself where there is none. */
  root: string;
  cwd: string;
  isRepository: boolean;
  watch: TreeWatch | null;
  /** Hears, once, that another runner works in this tree too. */
  onShared: () => void;
}

/**
 * Places in the tree in which the runner was started. While one item alone is worked on there, every change is its
 * own. While there are several, by this or another runner, nobody can tell whose a change is: it counts for
 * those that planned it, and for no other. (Counting it for all was rejected: two agents side by side would be shown
 * as in conflict about every file that either of them touches.)
 */
export function sharedPlaces({ root, cwd, isRepository, watch, onShared }: SharedTree): OpenPlace {
  const users = new TreeUsers(root);
  let isTold = false;
  return async (item: Item): Promise<Place> => {
    const before = isRepository && watch ? await stateOf(root) : null;
    const use = users.enter();
    let wasShared = false;
    const look = () => {
      const others = use.others();
      wasShared ||= others.length > 0;
      if (isTold || !watch || others.every((pid) => pid === process.pid)) return;
      isTold = true;
      onShared();
    };
    look();
    const own = (paths: readonly string[]) => {
      look();
      return wasShared ? paths.filter((path) => isPlanned(item.files_planned, path)) : [...paths];
    };
    return {
      root,
      cwd,
      branch: null,
      worktree: null,
      watch,
      own,
      succeeded: async () => ({ files: before ? own(await changedSince(root, before)) : [], note: '' }),
      kept: () => '',
      leave: async () => use.leave(),
    };
  };
}

interface TreeState {
  head: string | null;
  files: Map<string, string>;
}

async function stateOf(root: string): Promise<TreeState> {
  const head = await tryGit(root, 'rev-parse', '--verify', '--quiet', 'HEAD');
  return { head: head?.trim() ?? null, files: await uncommitted(root) };
}

/** Files that git sees otherwise than before: a file that was changed already and was changed again, the watch sees. */
async function changedSince(root: string, before: TreeState): Promise<string[]> {
  const now = await stateOf(root);
  const committed = before.head && now.head ? await changedBetween(root, before.head, now.head) : [];
  const differ = [...now.files.keys(), ...before.files.keys()].filter(
    (path) => now.files.get(path) !== before.files.get(path),
  );
  return [...new Set([...committed, ...differ])];
}
