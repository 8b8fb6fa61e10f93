import { relative, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { watch } from 'chokidar';
import { tryGit } from './git.ts';
import { Ignored } from './ignored.ts';

/** Changes are told together when this long has passed since the first of them. */
const batchMs = 150;
/** The system needs a moment to say what was changed, and chokidar 100 ms to tell a file replaced from one deleted. */
const settleMs = 250;

/** Changed, new and deleted files below a folder, as they change. */
export interface TreeWatch {
  /** Hears them in batches, relative to the root, with `/`. The answer ends it. */
  onChange(heard: (paths: string[]) => void): () => void;
  /** Resolves when what was changed until now was told. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Watches a folder, but for what git ignores. Resolves when nothing can be missed any more; what cannot be watched
 * (the system has a limit) is told to `onTrouble`, once.
 */
export async function watchTree(root: string, onTrouble: (message: string) => void): Promise<TreeWatch> {
  const excludes = await tryGit(root, 'rev-parse', '--path-format=absolute', '--git-path', 'info/exclude');
  const ignored = new Ignored(root, excludes?.trim() ?? null);
  const listeners = new Set<(paths: string[]) => void>();
  let changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const inTree = (path: string) => relative(root, path).split(sep).join('/');

  const tell = () => {
    clearTimeout(timer);
    timer = undefined;
    const paths = [...changed];
    changed = new Set();
    if (paths.length > 0) for (const heard of listeners) heard(paths);
  };
  const watcher = watch(root, {
    ignoreInitial: true,
    followSymlinks: false, // what a link leads to may lie outside
    ignorePermissionErrors: true,
    ignored: (path, stats) => {
      const name = inTree(path);
      // Asked first without knowing what it is: a folder that is ignored as such must not be entered.
      return name !== '' && ignored.covers(stats?.isDirectory() ? `${name}/` : name);
    },
  });
  watcher.on('all', (event, path) => {
    if (event === 'addDir' || event === 'unlinkDir') return;
    const name = inTree(path);
    if (name.endsWith('.gitignore')) ignored.forget();
    changed.add(name);
    timer ??= setTimeout(tell, batchMs);
  });
  let isTroubled = false;
  watcher.on('error', (error) => {
    if (!isTroubled) onTrouble(troubleOf(error as NodeJS.ErrnoException));
    isTroubled = true;
  });
  await new Promise<void>((resolve) => watcher.once('ready', resolve));
  return {
    onChange: (heard) => {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    settled: async () => {
      await sleep(settleMs);
      tell();
    },
    close: () => {
      clearTimeout(timer);
      return watcher.close();
    },
  };
}

function troubleOf({ code, message }: NodeJS.ErrnoException): string {
  const seen = 'Changed files are not all seen while a command runs; git still names them at its end';
  if (code === 'ENOSPC' || code === 'EMFILE')
    return `${seen}: the system watches no more folders (${code}). Raise fs.inotify.max_user_watches, or ignore more in .gitignore.`;
  return `${seen}: ${message}`;
}
