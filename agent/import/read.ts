import { parseBacklog } from '@switchyard/shared/import/backlog';
import type { Plan } from '@switchyard/shared/import/plan';
import { Unreadable } from '@switchyard/shared/import/unreadable';
import { Misuse } from '../command.ts';

/** Reads a backlog that was named on the command line, of any known format. Throws `Misuse` when it is none. */
export function readBacklog(text: string): Plan {
  try {
    return parseBacklog(text);
  } catch (error) {
    throw error instanceof Unreadable ? new Misuse(error.message) : error;
  }
}
