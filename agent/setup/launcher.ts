import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * How `switchyard` is started by what setup writes. `local`: it is installed in the folder, so that the same line works
 * in every clone. `path`: it is installed on the machine. `file`: neither, so a path of this machine has to do.
 */
export type Launcher = { kind: 'local' } | { kind: 'path' } | { kind: 'file'; bin: string };

/** Finds out how to start it from a folder. `bin`: the program that runs now. */
export function findLauncher(folder: string, env: NodeJS.ProcessEnv, bin: string): Launcher {
  if (existsSync(join(folder, 'node_modules/.bin/switchyard'))) return { kind: 'local' };
  // npx puts its own folders in front; they are not there when a client starts the command.
  const folders = (env.PATH ?? '')
    .split(delimiter)
    .filter((one) => one !== '' && !/[/\\]node_modules[/\\]\.bin$|[/\\]_npx[/\\]/.test(one));
  if (folders.some((one) => isExecutable(join(one, 'switchyard')))) return { kind: 'path' };
  return { kind: 'file', bin: realpathSync(bin) };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The words that start it as a program. */
export function launchWords(launcher: Launcher): string[] {
  if (launcher.kind === 'local') return ['npx', '--no-install', 'switchyard'];
  if (launcher.kind === 'path') return ['switchyard'];
  return ['node', launcher.bin];
}

/** The line that starts it in a shell. `root`: the shell's word for the folder, where the client knows one. */
export function launchLine(launcher: Launcher, root?: string): string {
  // npx alone takes some 0.3 s, before every edit.
  if (launcher.kind === 'local' && root !== undefined) return `${root}node_modules/.bin/switchyard`;
  return launchWords(launcher).map(shellWord).join(' ');
}

/** A word as a shell reads it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

const inFolder = String.raw`(?:"\$[^"]*"/|\$\{\w+\}/)?node_modules/\.bin/switchyard`;
const launch = new RegExp(
  String.raw`^(?:(?:npx --no-install )?switchyard|(?:node )?${inFolder}|node [^&|;]+/bin\.mjs'?)$`,
);

/** Whether setup, now or on another machine, could have written these words in front of its own. */
export function isLaunch(words: string): boolean {
  return launch.test(words);
}
