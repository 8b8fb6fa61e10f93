import { z } from 'zod';
import { limits } from './limits.ts';

/**
 * Paths are POSIX and relative to the project's root: `src/a.ts`. One that ends in `/` means the folder and
 * all below it; `src/*.ts` is a glob, with `*`, `**`, `?` and `{a,b}`. Whether two of them overlap is decided by PostgreSQL, inside the
 * statement that claims (see `sql/`): decided here, the answer could be stale before it was used.
 */
export function isGlob(path: string): boolean {
  // Brackets and parentheses are literal: frameworks name route folders `[id]` and `(group)`.
  return /[*?]|\{[^}]*,[^}]*\}/.test(path);
}

/** Why `path` is refused, or null. */
export function pathFault(path: string): string | null {
  if (path === '' || path === './') return 'is empty: name a path below the project root';
  if (path.length > limits.pathLength) return `is longer than ${limits.pathLength}`;
  if (path.includes('\\')) return 'has a backslash: use / between folders';
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'has a control character';
  if (!path.isWellFormed()) return 'has a lone surrogate: send valid Unicode';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path))
    return 'is absolute: make it relative to the project root';
  const parts = path.split('/');
  if (parts.includes('..')) return 'has a ..: make it relative to the project root';
  if (parts.slice(0, -1).includes('')) return 'has an empty part (//)';
  return null;
}

/** Drops every leading `./`, inner `/./` and last `/.`: `./src/./a.ts` and `src/a.ts` are one file, `src/.` is `src/`. */
export function normalizePath(path: string): string {
  return path
    .replace(/^(\.\/)+/, '')
    .replace(/\/(\.\/)+/g, '/')
    .replace(/\/\.$/, '/');
}

function entry(allowGlobs: boolean) {
  return z.string().transform((path, context) => {
    const clean = normalizePath(path);
    const fault =
      pathFault(clean) ??
      (clean === '.' ? 'is the root: name a path below it, or **' : null) ??
      (!allowGlobs && isGlob(clean) ? 'is a glob: name the files themselves' : null);
    if (fault) context.addIssue({ code: 'custom', message: `"${path.slice(0, 80)}" ${fault}` });
    return clean;
  });
}

const unique = (paths: string[]) => [...new Set(paths)];

/** What work expects to touch: paths, folders, globs. Normalised, without repeats. */
export const plannedPaths = z.array(entry(true)).max(limits.filesPlanned).transform(unique);

/** What work has touched: paths and folders. Normalised, without repeats. */
export const modifiedPaths = z.array(entry(false)).max(limits.filesModified).transform(unique);
