import { realpath } from 'node:fs/promises';
import { relative } from 'node:path';
import { Misuse } from '../command.ts';
import type { RunConsole } from './console.ts';
import { checkCommand } from './find-command.ts';
import { git, repositoryRoot, tryGit } from './git.ts';
import type { OpenPlace } from './place.ts';
import { checkTemplate } from './placeholders.ts';
import { sharedPlaces } from './shared-place.ts';
import { tidyWorktrees } from './tidy.ts';
import { watchTree, type TreeWatch } from './watch-tree.ts';
import { worktreePlaces } from './worktree-place.ts';
import { makeFolder } from './worktrees.ts';
import type { Call } from '../call.ts';

/** Where commands are to run. */
export interface Ground {
  open: OpenPlace;
  /** To be called before anything is claimed. */
  prepare: (call: Call) => Promise<void>;
  close: () => Promise<void>;
}

export interface GroundOptions {
  folder: string;
  worktree: boolean;
  base: string;
  commit: boolean;
  watches: boolean;
  concurrency: number;
  project: string;
  agent: string;
  console: RunConsole;
}

/** Sees, before a hub is asked for anything, that a command can be run. Throws `Misuse`. */
export function checkRun(command: readonly string[], folder: string, env: NodeJS.ProcessEnv): void {
  if (process.platform === 'win32')
    throw new Misuse('switchyard run needs process groups, which Windows does not have. Run it under WSL.');
  if (command.length === 0)
    throw new Misuse('Say which command to run: switchyard run [flags] -- COMMAND ARGS');
  checkTemplate(command);
  checkCommand(command[0]!, folder, env.PATH);
}

/** Finds out what there is to run in. Throws `Misuse`. */
export async function findGround(options: GroundOptions): Promise<Ground> {
  const cwd = await realpath(options.folder);
  const root = await repositoryRoot(cwd);
  const onTrouble = (message: string) => options.console.say(message, { style: 'yellow' });
  if (!options.worktree) return sharedGround(options, root, cwd, onTrouble);
  if (root === null) throw new Misuse(`--worktree needs a git repository. ${await whyNone(cwd)}`);
  if ((await tryGit(root, 'rev-parse', '--verify', '--quiet', `${options.base}^{commit}`)) === null)
    throw new Misuse(
      options.base === 'HEAD'
        ? '--worktree needs a commit to start from, and there is none yet. Commit something first.'
        : `There is no commit "${options.base}" here: --base takes a branch, a tag or a commit.`,
    );
  await makeFolder(root).catch((error: Error) => {
    throw new Misuse(`There is no place for worktrees: ${error.message}`);
  });
  return {
    open: worktreePlaces({ ...options, root, folder: relative(root, cwd), onTrouble }),
    prepare: (call) => tidyWorktrees(root, call, options.console),
    close: async () => {},
  };
}

/** git says it best: there is none here, it is somebody else's, or git is not installed. */
async function whyNone(folder: string): Promise<string> {
  return git(folder, 'rev-parse', '--show-toplevel').catch((error: Error) => error.message);
}

async function sharedGround(
  { watches, concurrency, console }: GroundOptions,
  root: string | null,
  cwd: string,
  onTrouble: (message: string) => void,
): Promise<Ground> {
  const tree = root ?? cwd;
  const watch: TreeWatch | null = watches ? await watchTree(tree, onTrouble) : null;
  const sayShared = (who: string) =>
    console.say(
      `${who} in this tree: a change counts only for those that planned the file. --worktree gives each its own.`,
    );
  return {
    open: sharedPlaces({
      root: tree,
      cwd,
      isRepository: root !== null,
      watch,
      onShared: () => sayShared('Another runner works on an item'),
    }),
    prepare: async () => {
      if (watches && concurrency > 1) sayShared('Several items are worked on');
    },
    close: async () => watch?.close(),
  };
}
