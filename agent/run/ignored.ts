import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** Never anybody's work, whatever the rules say: repositories, what is installed, what hubs and runners keep. */
const never = new Set(['.git', 'node_modules', '.switchyard']);

export const isNobodysWork = (path: string): boolean => path.split('/').some((part) => never.has(part));

/**
 * Which paths of a tree git would ignore, by the `.gitignore` files on the way to them and by `excludes`, the
 * repository's own `info/exclude`. A path is relative to the root, with `/`; a folder ends in one.
 */
export class Ignored {
  readonly #root: string;
  readonly #excludes: string | null;
  readonly #rules = new Map<string, Ignore | null>();

  constructor(root: string, excludes: string | null = null) {
    this.#root = root;
    this.#excludes = excludes;
  }

  covers(path: string): boolean {
    const parts = path.split('/').filter((part) => part !== '');
    if (isNobodysWork(path)) return true;
    // What lies below an ignored folder is ignored; rules further down cannot bring it back.
    return parts.some((_, n) => {
      const isFolder = n < parts.length - 1 || path.endsWith('/');
      return this.#decides(parts.slice(0, n + 1), isFolder);
    });
  }

  /** To be called when a `.gitignore` has changed. */
  forget(): void {
    this.#rules.clear();
  }

  /** Rules nearer to the path go over those above. */
  #decides(parts: readonly string[], isFolder: boolean): boolean {
    for (let depth = parts.length - 1; depth >= 0; depth -= 1) {
      const below = parts.slice(depth).join('/') + (isFolder ? '/' : '');
      const said = this.#rulesIn(parts.slice(0, depth).join('/'))?.test(below);
      if (said?.ignored) return true;
      if (said?.unignored) return false;
    }
    if (this.#excludes === null) return false;
    return this.#read(this.#excludes)?.ignores(parts.join('/') + (isFolder ? '/' : '')) ?? false;
  }

  #rulesIn(folder: string): Ignore | null {
    return this.#read(folder === '' ? '.gitignore' : `${folder}/.gitignore`);
  }

  #read(file: string): Ignore | null {
    const known = this.#rules.get(file);
    if (known !== undefined) return known;
    let rules: Ignore | null = null;
    try {
      rules = ignore({ allowRelativePaths: true }).add(readFileSync(resolve(this.#root, file), 'utf8'));
    } catch {
      // None there, or none that may be read.
    }
    this.#rules.set(file, rules);
    return rules;
  }
}
