import { isAbsolute } from 'node:path';
import { projectPaths } from '../setup/hooks/paths.ts';

/**
 * Files as a project knows them. Absolute paths, which models like to write, become relative to the root of the
 * repository around this folder; what lies elsewhere, and all others, stay as they are, for the hub to judge.
 */
export function namedPaths(files: readonly string[] = []): string[] {
  return files.map((file) => {
    const [path] = isAbsolute(file) ? projectPaths('.', [file]) : [file];
    return path === undefined ? file : path + (file.endsWith('/') && !path.endsWith('/') ? '/' : '');
  });
}
