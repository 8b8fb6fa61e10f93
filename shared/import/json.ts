import { fitLine } from './text.ts';
import { Unreadable } from './unreadable.ts';

/** Far more than any tracker writes, and far less than what the stack of whoever walks it can hold. */
export const nestingMax = 100;

/** The value of a JSON text; undefined when it is none. */
export function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether lists and objects lie in one another more than `max` deep. Iterative, for what is deeper than the stack. */
export function nestsDeeper(value: unknown, max: number = nestingMax): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > max) return true;
    level = level.flatMap((one): unknown[] =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return false;
}

/** What is said of a text that was meant to be JSON and is none: where it goes wrong. */
export function brokenJson(text: string): Unreadable {
  const at = faultIn(text) ?? text.length;
  const lines = text.slice(0, at).split('\n');
  const found = text.slice(at, at + 30).split('\n')[0]!;
  const what =
    found === ''
      ? 'ends too early'
      : `goes wrong at “${fitLine(found).text}”, column ${lines.at(-1)!.length + 1}`;
  return new Unreadable(
    `This is no valid JSON: line ${lines.length} ${what}. Mend it there, or export the backlog anew.`,
  );
}

const space = /[\t\n\r ]*/y;
const token = /[{}[\],:"]|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** Of a string, which as one pattern would be deeper than the stack of the engine when it is long. */
// eslint-disable-next-line no-control-regex
const piece = /[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

type Wanted = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end' | 'nothing';

/**
 * Where in a text the first thing stands that does not belong in JSON, or its end where something is missing; null of
 * valid JSON. What JSON.parse throws says so in some engines only, and there not always.
 */
export function faultIn(text: string): number | null {
  const open: string[] = [];
  let wanted: Wanted = 'value';
  for (let at = 0; ;) {
    const from = endOf(space, text, at)!;
    if (from === text.length && wanted === 'nothing') return null;
    const end = endOf(token, text, from);
    const next: Wanted | undefined = end === undefined ? undefined : after(text[from]!, wanted, open);
    const whole = text[from] === '"' ? endOfString(text, from + 1) : end;
    if (next === undefined || whole === undefined) return from;
    [wanted, at] = [next, whole];
  }
}

function endOf(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function endOfString(text: string, from: number): number | undefined {
  let at = from;
  for (let end = endOf(piece, text, at); end !== undefined; end = endOf(piece, text, at)) at = end;
  return text[at] === '"' ? at + 1 : undefined;
}

/** What comes after a token that begins so; undefined when it is not what was wanted. Keeps book of what is open. */
function after(found: string, wanted: Wanted, open: string[]): Wanted | undefined {
  if (found === '}' || found === ']') {
    if (!wanted.endsWith('or end') || open.pop() !== found) return undefined;
    return open.length > 0 ? 'comma or end' : 'nothing';
  }
  if (found === ',') {
    if (wanted !== 'comma or end') return undefined;
    return open.at(-1) === '}' ? 'key' : 'value';
  }
  if (found === ':') return wanted === 'colon' ? 'value' : undefined;
  if (wanted.startsWith('key')) return found === '"' ? 'colon' : undefined;
  if (!wanted.startsWith('value')) return undefined;
  if (found === '{' || found === '[') {
    open.push(found === '{' ? '}' : ']');
    return found === '{' ? 'key or end' : 'value or end';
  }
  return open.length > 0 ? 'comma or end' : 'nothing';
}
