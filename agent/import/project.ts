import { basename, extname } from 'node:path';
import { Refusal } from '@switchyard/shared/errors';
import { slugOf } from '@switchyard/shared/import/text';
import type { Call } from '../call.ts';
import { Misuse } from '../command.ts';

/** The project that a file goes into when nobody says which: `The Plan.md` → `the-plan`. Throws `Misuse`. */
export function projectNameOf(file: string): string {
  const name = slugOf(basename(file, extname(file)));
  if (name === null) throw new Misuse('The file’s name makes no project name: give one with --project.');
  return name;
}

/** Makes the project unless there is one of that name. */
export async function ensureProject(call: Call, name: string): Promise<void> {
  try {
    await call('project.get', { project: name });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'NOT_FOUND') throw error;
    await call('project.create', { name });
  }
}
