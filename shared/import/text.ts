import { limits } from '../limits.ts';

/** Text that the hub takes: well-formed, without control characters; `kept` is false when something was lost. */
export interface Fitted {
  text: string;
  kept: boolean;
}

// What the hub refuses; see shared/text.ts.
// eslint-disable-next-line no-control-regex
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
// eslint-disable-next-line no-control-regex
const controlButLayout = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]+/g;

/** Colours, cursor movements, titles and links of a terminal (ECMA-48: CSI, OSC, and ESC with one letter). */
const terminalCodes =
  // eslint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c\u009d]*(?:\u0007|\u001b\\|\u009c)|\u001b[@-_]/g;

/** One line of at most `max` UTF-16 units. Line breaks and other control characters become spaces. */
export function fitLine(text: string, max: number = limits.titleLength): Fitted {
  const clean = plain(text).replace(controlCharacters, ' ').trim();
  const short = shorten(clean, max);
  return { text: short, kept: short === text.trim() };
}

/** Text of several lines, of at most `max` UTF-16 units. */
export function fitProse(text: string, max: number = limits.longTextLength): Fitted {
  const short = shorten(plain(text).replace(controlButLayout, ''), max);
  return { text: short, kept: short === text };
}

/** A slug for `task_type`: `Merge Request` → `merge-request`. Null when nothing is left of it. */
export function slugOf(text: string): string | null {
  const slug = text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+/, '')
    .slice(0, limits.slugLength)
    .replace(/-+$/, '');
  return slug || null;
}

/** Joins a description with sections below it; those without text are left out. */
export function withSections(first: string, sections: Record<string, string>): string {
  const rest = Object.entries(sections).filter(([, text]) => text.trim() !== '');
  return [first, ...rest.map(([title, text]) => `## ${title}\n\n${text}`)]
    .filter((part) => part.trim() !== '')
    .join('\n\n');
}

/** Colour codes and lone surrogates out. */
function plain(text: string): string {
  return text.replace(terminalCodes, '').toWellFormed();
}

function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  // A cut through a surrogate pair leaves half a character, which toWellFormed shows as U+FFFD.
  return `${text
    .slice(0, max - 1)
    .toWellFormed()
    .replace(/\ufffd$/, '')}…`;
}
