import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { startOf } from './processes.ts';

let entries = 0;

/**
 * Who works in one working tree: each item that any runner on this machine has under way there. A change in a tree
 * that several share cannot be told to be one item's; and a worktree that is still in use must not be taken over.
 *
 * Kept as small files in the temporary folder, named for the process: in the tree they would be changes of their
 * own, and a tree need not be a git repository, which would have a place for them. Those of a process that is gone
 * do not count.
 */
export class TreeUsers {
  readonly #folder: string;

  constructor(root: string) {
    const key = createHash('sha256').update(root).digest('hex').slice(0, 16);
    const user = process.getuid?.() ?? userInfo().username;
    this.#folder = join(tmpdir(), `switchyard-${user}`, key);
  }

  /** Joins them. */
  enter(): { others(): number[]; leave(): void } {
    const own = `${process.pid}-${++entries}`;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#folder, own), startOf(process.pid));
    return {
      others: () => this.#processes(own),
      leave: () => rmSync(join(this.#folder, own), { force: true }),
    };
  }

  /** The process id of each; this process is among them for each item of its own. */
  processes(): number[] {
    return this.#processes(null);
  }

  #processes(but: string | null): number[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder);
    } catch {
      return [];
    }
    return names.filter((name) => name !== but && this.#isAlive(name)).map((name) => parseInt(name));
  }

  #isAlive(name: string): boolean {
    const file = join(this.#folder, name);
    try {
      const noted = readFileSync(file, 'utf8');
      if (noted === startOf(parseInt(name))) return true;
      if (noted !== '') rmSync(file, { force: true }); // empty: just being written
      return noted === '';
    } catch {
      return false; // taken back just now
    }
  }
}
