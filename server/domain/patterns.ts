import picomatch from 'picomatch';
import { isGlob } from '@switchyard/shared/paths';

/** What a folder or glob means to PostgreSQL: its fixed beginning and end, and a regex unless it is a folder. */
interface Pattern {
  prefix: string;
  suffix: string;
  regex: string | null;
}

// Dot files are files. Brackets and parentheses are literal: `src/routes/[id]/(group)/**` names real folders.
const options = { dot: true, nobracket: true, noextglob: true, nonegate: true, literalBrackets: true };

/** The entries of a list of paths that mean more than one file, by path; see `file_patterns` in the schema. */
export function patternsOf(paths: readonly string[]): Record<string, Pattern> {
  const patterns: Record<string, Pattern> = {};
  for (const path of paths) {
    if (isGlob(path)) patterns[path] = globPattern(path);
    else if (path.endsWith('/')) patterns[path] = { prefix: path, suffix: '', regex: null };
  }
  return patterns;
}

function globPattern(glob: string): Pattern {
  const whole = glob.endsWith('/') ? `${glob}**` : glob;
  const escaped = whole.replace(/[()[\]+!@|^$]/g, '\\$&');
  const first = whole.search(/[*?{]/);
  const last = Math.max(whole.lastIndexOf('*'), whole.lastIndexOf('?'), whole.lastIndexOf('}'));
  return {
    prefix: whole.slice(0, whole.lastIndexOf('/', first) + 1),
    suffix: whole.slice(last + 1),
    regex: picomatch.makeRe(escaped, options).source,
  };
}
