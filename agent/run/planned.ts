import { isGlob } from '@switchyard/shared/paths';

/**
 * Whether a file is among those that an item plans to touch: by its path, a folder above it (`src/`), or a glob.
 *
 *     isPlanned(['src/*.ts'], 'src/a.ts'); // true
 */
export function isPlanned(planned: readonly string[], file: string): boolean {
  return planned.some(
    (entry) =>
      entry === file ||
      (entry.endsWith('/') && file.startsWith(entry)) ||
      (isGlob(entry) && globOf(entry).test(file)),
  );
}

const tokens = /\*\*\/|\*\*|\*|\?|\{[^{}]*,[^{}]*\}|[^*?{]+|\{/g;

/** As the hub reads globs: `*`, `**`, `?` and `{a,b}`; brackets are letters, and dot files are files. */
function globOf(glob: string): RegExp {
  const source = glob.replace(tokens, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (token.startsWith('{') && token.endsWith('}'))
      return `(?:${token
        .slice(1, -1)
        .split(',')
        .map((one) => globOf(one).source.slice(1, -1))
        .join('|')})`;
    return token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${source}${glob.endsWith('/') ? '.*' : ''}$`);
}
