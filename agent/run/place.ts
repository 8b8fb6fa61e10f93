import type { Item } from '@switchyard/shared/item';
import type { TreeWatch } from './watch-tree.ts';

/** Where the command for one item runs: a tree that it shares, or a worktree of its own. */
export interface Place {
  /** What paths are relative to. */
  readonly root: string;
  /** The folder in which the command runs; in or below the root. */
  readonly cwd: string;
  /** The branch that gets the work; null where there is none of its own. */
  readonly branch: string | null;
  readonly worktree: string | null;
  /** Null when nobody watches. */
  readonly watch: TreeWatch | null;
  /** Which of the changed files are this item's. */
  own(paths: readonly string[]): string[];
  /** To be called when the command has done its work. Throws `Unfinished`. */
  succeeded(): Promise<Left>;
  /** What to say of work that stays where it is. Empty: nothing. */
  kept(): string;
  /** To be called last, whatever came before. */
  leave(): Promise<void>;
}

/** What there is of the work: files that git knows to be changed, and a sentence on where it lies. */
export interface Left {
  files: string[];
  note: string;
}

/** The command ended well and left what cannot count as done. */
export class Unfinished extends Error {
  override readonly name = 'Unfinished';
}

/** Opens the place for an item. */
export type OpenPlace = (item: Item, attempt: number) => Promise<Place>;
