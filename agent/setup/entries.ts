// What setup puts into files, each as an Entry.
import { isDeepStrictEqual } from 'node:util';
import { getNodeValue } from 'jsonc-parser';
import { findBlock, removeBlock, setBlock } from './block.ts';
import type { Entry, Settings, Standing } from './entry.ts';
import { nodeAt, parseJson, removeJson, setJson, type JsonPath } from './json-text.ts';
import { isLaunch } from './launcher.ts';
import { removeTomlTable, setTomlTable, tomlAt } from './toml-text.ts';

/** A server as MCP clients read it; which other fields there are differs. */
export interface ServerFields {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Record<string, string>;
  readonly [field: string]: unknown;
}

export const serverName = 'switchyard';
const serverLabel = `server "${serverName}"`;
const ourVariables = new Set([
  'SWITCHYARD_PROJECT',
  'SWITCHYARD_URL',
  'SWITCHYARD_CLIENT',
  'SWITCHYARD_ROOT',
]);

/** The server under `mcpServers` of a JSON file. */
export function jsonServer(fields: ServerFields): Entry {
  const path = ['mcpServers', serverName];
  return {
    label: serverLabel,
    state: (text) => standingOfServer(valueIn(text, path), fields),
    settings: (text) => settingsOf(valueIn(text, path)),
    write: (text) => setJson(text, path, fields),
    erase: (text) => removeJson(text, path),
  };
}

/** The server as a table of Codex's TOML file. */
export function tomlServer(fields: ServerFields): Entry {
  const keys = ['mcp_servers', serverName];
  return {
    label: serverLabel,
    state(text) {
      const found = tomlAt(text, keys);
      const standing = standingOfServer(found, fields);
      const { project: is } = settingsOf(found);
      const { project: wanted } = settingsOf(fields);
      // One file for all repositories: the entry that another one needs is not taken from it.
      if (standing.state !== 'stale' || !wanted || is === wanted) return standing;
      return { state: 'changed', why: `is for project "${is}": use --local, or --remove it first` };
    },
    settings: (text) => settingsOf(tomlAt(text, keys)),
    write: (text) => setTomlTable(text, keys, fields),
    erase: (text) => removeTomlTable(text, keys),
  };
}

function settingsOf(server: unknown): Settings {
  const env = (server as Partial<ServerFields> | undefined)?.env ?? {};
  return { project: env.SWITCHYARD_PROJECT, url: env.SWITCHYARD_URL };
}

/** The value at the path of a JSON text; undefined when there is none. */
export function valueIn(text: string, path: JsonPath): unknown {
  if (text.trim() === '') return undefined;
  const node = nodeAt(parseJson(text), path);
  return node && getNodeValue(node);
}

function standingOfServer(found: unknown, wanted: ServerFields): Standing {
  if (found === undefined) return { state: 'missing' };
  if (isDeepStrictEqual(toPlain(found), toPlain(wanted))) return { state: 'current' };
  if (couldBeOurs(found, wanted)) return { state: 'stale' };
  return { state: 'changed', why: 'was changed by hand' };
}

/** Parsers differ in the prototypes of what they make. */
function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function couldBeOurs(found: unknown, wanted: ServerFields): boolean {
  if (typeof found !== 'object' || found === null) return false;
  const { command, args, env } = found as Partial<ServerFields>;
  if (typeof command !== 'string' || !Array.isArray(args) || args.at(-1) !== 'mcp') return false;
  const rest = (fields: object) => ({ ...fields, command: '', args: [], env: {} });
  return (
    isLaunch([command, ...(args as string[]).slice(0, -1)].join(' ')) &&
    Object.entries(env ?? {}).every(
      ([name, value]) => ourVariables.has(name) || value === wanted.env[name],
    ) &&
    isDeepStrictEqual(toPlain(rest(found)), toPlain(rest(wanted)))
  );
}

/** A hook: an event of the client, and the line that it runs. */
export interface HookFields {
  /** Under `hooks` of the file. */
  readonly event: string;
  /** What stands in the event's array: Claude Code's groups of hooks, or Cursor's bare ones. */
  readonly element: Record<string, unknown>;
  /** The words behind the launcher: `hook pre-edit --client claude`. */
  readonly words: string;
}

interface Handler {
  readonly command?: unknown;
}

/** A hook of a JSON file. Of several alike the first counts. */
export function jsonHook({ event, element, words }: HookFields): Entry {
  const path = ['hooks', event];
  const find = (text: string) => findHook(valueIn(text, path), words);
  return {
    label: `hook ${event}`,
    state(text) {
      const found = find(text);
      if (!found) return { state: 'missing' };
      if (isDeepStrictEqual(toPlain(found.element), toPlain(element))) return { state: 'current' };
      const isOurs =
        isOurLine(commandOf(found.handler), words) &&
        isDeepStrictEqual(withoutCommands(found.element), withoutCommands(element));
      return isOurs ? { state: 'stale' } : { state: 'changed', why: 'was changed by hand' };
    },
    write(text) {
      return setJson(text, [...path, find(text)?.index ?? -1], element);
    },
    erase(text) {
      const found = find(text);
      return found ? removeJson(text, [...path, found.index]) : text;
    },
  };
}

function findHook(groups: unknown, words: string) {
  if (!Array.isArray(groups)) return undefined;
  const elements: readonly unknown[] = groups;
  for (const [index, element] of elements.entries()) {
    const handler = handlersOf(element).find((one) => commandOf(one).includes(` ${words}`));
    if (handler) return { index, element, handler };
  }
  return undefined;
}

/** The hooks of a group, or the element itself where the client knows no groups. */
function handlersOf(element: unknown): readonly Handler[] {
  if (typeof element !== 'object' || element === null) return [];
  const { hooks } = element as { hooks?: unknown };
  if (hooks === undefined) return [element];
  return Array.isArray(hooks)
    ? (hooks as Handler[]).filter((one) => typeof one === 'object' && one !== null)
    : [];
}

function commandOf(handler: Handler | undefined): string {
  return typeof handler?.command === 'string' ? handler.command : '';
}

/** Whatever starts it, and whichever project it is for. */
function isOurLine(line: string, words: string): boolean {
  const at = line.indexOf(` ${words}`);
  const behind = line.slice(at + 1 + words.length);
  return at > 0 && isLaunch(line.slice(0, at)) && /^( --(project|url) \S+)*$/.test(behind);
}

function withoutCommands(element: unknown): unknown {
  return JSON.parse(JSON.stringify(element, (key, value: unknown) => (key === 'command' ? '' : value)));
}

/** The block of a Markdown file. Clients that share a file share its block: it goes with the last of them. */
export function markdownBlock(client: string, lines: readonly string[]): Entry {
  const ownersWith = (text: string) => [...new Set([...(findBlock(text)?.owners ?? []), client])];
  return {
    label: 'block',
    state(text) {
      const block = findBlock(text);
      if (!block) return { state: 'missing' };
      const isCurrent = block.owners.includes(client) && isDeepStrictEqual(block.lines, lines);
      return { state: isCurrent ? 'current' : 'stale' };
    },
    write: (text) => setBlock(text, { owners: ownersWith(text), lines }),
    erase(text) {
      const block = findBlock(text);
      const others = block?.owners.filter((owner) => owner !== client) ?? [];
      return block && others.length > 0
        ? setBlock(text, { owners: others, lines: block.lines })
        : removeBlock(text);
    },
  };
}

/** Cursor reads a file of hooks only with a version; one that nothing else is left in goes with the hooks. */
export function withVersion(entry: Entry): Entry {
  const path = ['version'];
  return {
    ...entry,
    write: (text) => entry.write(valueIn(text, path) === undefined ? setJson(text, path, 1) : text),
    erase(text) {
      const left = entry.erase(text);
      const isAlone = left.trim() !== '' && isDeepStrictEqual(toPlain(valueIn(left, [])), { version: 1 });
      return isAlone && left !== text ? removeJson(left, path) : left;
    },
  };
}
