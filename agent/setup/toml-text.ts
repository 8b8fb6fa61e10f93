// Changes in a TOML text at the granularity of a table: smol-toml reads, but would write without the comments. What a
// change made of the rest is checked by parsing before and after.
import { isDeepStrictEqual } from 'node:util';
import { parse, stringify, TomlError, type TomlTable } from 'smol-toml';
import { appendLines, cutLines, eolOf } from './layout.ts';
import { FileRefused } from './text-file.ts';

/** What the text says. Throws {@link FileRefused} with line and column. */
export function parseToml(text: string): TomlTable {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.split('\n');
    throw new FileRefused(
      `is not valid TOML: ${(what ?? '').replace('Invalid TOML document: ', '')} in line ${error.line}, column ${error.column}`,
    );
  }
}

/** The value under the keys, or undefined. */
export function tomlAt(text: string, keys: readonly string[]): unknown {
  let value: unknown = parseToml(text);
  for (const key of keys) value = isTable(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return value;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Writes a table under its own header: in place of the one there, or at the end. Throws {@link FileRefused}. */
export function setTomlTable(text: string, keys: readonly string[], table: Record<string, unknown>): string {
  const lines = [
    `[${keys.join('.')}]`,
    ...Object.entries(table).map(([key, value]) => `${key} = ${inline(value)}`),
  ];
  const place = tomlAt(text, keys) === undefined ? undefined : placeOfTable(text, keys);
  const changed = place
    ? text.slice(0, place.start) + lines.join(eolOf(text)) + text.slice(place.end)
    : appendLines(text, lines);
  mustDifferOnlyIn(keys, text, changed);
  return changed;
}

/** Takes the table out, with its header. Throws {@link FileRefused}. */
export function removeTomlTable(text: string, keys: readonly string[]): string {
  const { start, end } = placeOfTable(text, keys);
  const changed = cutLines(text, start, end);
  mustDifferOnlyIn(keys, text, changed);
  return changed;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (!isTable(value)) return stringify({ value }).slice('value = '.length).trimEnd();
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key} = ${inline(one)}`)
    .join(', ')} }`;
}

/** From the table's header to its last line that says something; tables below it (`[a.b.env]`) are part of it. */
function placeOfTable(text: string, keys: readonly string[]): { start: number; end: number } {
  const header = new RegExp(
    `^[ \\t]*\\[[ \\t]*${keys.map(keyPattern).join('[ \\t]*\\.[ \\t]*')}[ \\t]*[\\].]`,
  );
  let place: { start: number; end: number } | undefined;
  let isInside = false;
  let offset = 0;
  for (const line of text.split('\n')) {
    if (/^[ \t]*\[[^\n]*\][ \t]*(#.*)?\r?$/.test(line)) isInside = header.test(line);
    const end = offset + line.replace(/\r$/, '').length;
    if (isInside && !/^\s*(#|$)/.test(line)) place = { start: place?.start ?? offset, end };
    offset += line.length + 1;
  }
  if (!place)
    throw new FileRefused(`has ${keys.join('.')}, but not as a table of its own: change it by hand`);
  return place;
}

function keyPattern(key: string): string {
  return `(?:${key}|"${key}"|'${key}')`;
}

/** Guards against what a search by lines takes for a header, such as a line of a string. */
function mustDifferOnlyIn(keys: readonly string[], before: string, after: string): void {
  try {
    if (isDeepStrictEqual(without(keys, parseToml(before)), without(keys, parseToml(after)))) return;
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
  }
  throw new FileRefused(`is laid out so that ${keys.join('.')} cannot be changed alone: change it by hand`);
}

/** The document without the value, and without tables that are empty then. */
function without([key, ...rest]: readonly string[], table: Record<string, unknown>): Record<string, unknown> {
  if (key === undefined) return {};
  const { [key]: inner, ...others } = table;
  const left = isTable(inner) ? without(rest, inner) : {};
  return Object.keys(left).length === 0 ? others : { ...others, [key]: left };
}
