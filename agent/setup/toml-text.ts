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
  const values = Object.entries(table).map(([key, value]) => `${key} = ${inline(value)}`);
  const lines = [`[${keys.join('.')}]`, ...values];
  if (tomlAt(text, keys) === undefined) return firstSound(keys, text, [appendLines(text, lines)]);
  const content = lines.join(eolOf(text));
  const changed = placesOfTable(text, keys).map(
    ({ start, end }) => text.slice(0, start) + content + text.slice(end),
  );
  return firstSound(keys, text, changed);
}

/** Takes the table out, with its header. Throws {@link FileRefused}. */
export function removeTomlTable(text: string, keys: readonly string[]): string {
  const changed = placesOfTable(text, keys).map(({ start, end }) => cutLines(text, start, end));
  return firstSound(keys, text, changed);
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (!isTable(value)) return stringify({ value }).slice('value = '.length).trimEnd();
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key} = ${inline(one)}`)
    .join(', ')} }`;
}

/**
 * Where the table may be, from its header to its last line that says something; tables below it (`[a.b.env]`) are part
 * of it. A line of a string may look like a header too, so there may be several.
 */
function placesOfTable(text: string, keys: readonly string[]): { start: number; end: number }[] {
  const header = new RegExp(
    `^[ \\t]*\\[[ \\t]*${keys.map(keyPattern).join('[ \\t]*\\.[ \\t]*')}[ \\t]*[\\].]`,
  );
  const places: { start: number; end: number }[] = [];
  let place: { start: number; end: number } | undefined;
  let offset = 0;
  for (const line of text.split('\n')) {
    const end = offset + line.replace(/\r$/, '').length;
    const isHeader = /^[ \t]*\[.*\][ \t]*(#.*)?\r?$/.test(line);
    if (isHeader && !header.test(line)) place = undefined;
    else if (isHeader && !place) places.push((place = { start: offset, end }));
    if (place && !/^\s*(#|$)/.test(line)) place.end = end;
    offset += line.length + 1;
  }
  return places;
}

function keyPattern(key: string): string {
  return `(?:${key}|"${key}"|'${key}')`;
}

/** The first of the changed texts that differs from the one before in the table alone. */
function firstSound(keys: readonly string[], before: string, changed: readonly string[]): string {
  const rest = without(keys, parseToml(before));
  const sound = changed.find((text) => {
    try {
      return isDeepStrictEqual(without(keys, parseToml(text)), rest);
    } catch (error) {
      if (error instanceof FileRefused) return false;
      throw error;
    }
  });
  if (sound === undefined)
    throw new FileRefused(`is laid out so that ${keys.join('.')} cannot be changed alone: change it by hand`);
  return sound;
}

/** The document without the value, and without tables that are empty then. */
function without([key, ...rest]: readonly string[], table: Record<string, unknown>): Record<string, unknown> {
  if (key === undefined) return {};
  const { [key]: inner, ...others } = table;
  const left = isTable(inner) ? without(rest, inner) : {};
  return Object.keys(left).length === 0 ? others : { ...others, [key]: left };
}
