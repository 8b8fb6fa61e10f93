import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { Misuse } from '../command.ts';

/**
 * Sees that there is such a command before any item is claimed for it. One with a placeholder in its name is found
 * out later. Throws `Misuse`.
 */
export function checkCommand(command: string, cwd: string, path = ''): void {
  if (command.includes('{')) return;
  const places = command.includes('/')
    ? [resolve(cwd, command)]
    : path.split(delimiter).map((at) => join(at, command));
  const files = places.filter(isFile);
  if (files.some(isExecutable)) return;
  if (files.length > 0) throw new Misuse(`${files[0]} is not executable. Try: chmod +x ${files[0]}`);
  const where = command.includes('/') ? 'Is the path right?' : 'Is it installed, and on the PATH?';
  throw new Misuse(`There is no command "${command}". ${where}`);
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
