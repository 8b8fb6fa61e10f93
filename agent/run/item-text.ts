import { posix } from 'node:path';
import type { Item } from '@switchyard/shared/item';

/** What a command may be told of its item, as text. */
export interface ItemText {
  id: string;
  number: string;
  title: string;
  description: string;
  task_type: string;
  priority: string;
  attempt: string;
  project: string;
  agent: string;
  /** Empty without --worktree. */
  branch: string;
  /** Planned files, as seen from the folder in which the command runs. */
  files: string[];
}

interface Where {
  attempt: number;
  project: string;
  agent: string;
  branch: string | null;
  /** The folder in which the command runs, below the root of the tree; empty: the root itself. */
  folder: string;
}

export function itemText(item: Item, { attempt, project, agent, branch, folder }: Where): ItemText {
  return {
    id: item.id,
    number: String(item.number),
    title: item.title,
    description: item.description ?? '',
    task_type: item.task_type ?? '',
    priority: String(item.priority),
    attempt: String(attempt),
    project,
    agent,
    branch: branch ?? '',
    files: item.files_planned.map((path) => seenFrom(folder, path)),
  };
}

/** A path of an item from within a folder. One that begins with a dash is no option: `./-x`. */
function seenFrom(folder: string, path: string): string {
  const seen = folder === '' ? path : posix.relative(folder, path) + (path.endsWith('/') ? '/' : '');
  return seen.startsWith('-') ? `./${seen}` : seen;
}
