// Changes in a JSON text, comments and trailing commas included, that leave every other byte as it is. jsonc-parser
// finds where things are; its own modify() is not used, because it puts a new member between a value and the comment
// behind it, and because what it takes out again does not leave the bytes that were there before.
import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser';
import { eolOf, indentOf } from './layout.ts';
import { FileRefused } from './text-file.ts';

export type JsonPath = readonly (string | number)[];

/** The tree of a text. Throws {@link FileRefused} with line and column. */
export function parseJson(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first || !root)
    throw new FileRefused(
      first
        ? `is not valid JSON: ${wordsOf(first)} in ${placeOf(text, first.offset)}`
        : 'is not valid JSON: it is empty',
    );
  if (root.type !== 'object') throw new FileRefused('does not hold a JSON object');
  return root;
}

function wordsOf({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

function placeOf(text: string, offset: number): string {
  const lines = text.slice(0, offset).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`;
}

/** What stands at the path, or undefined. Throws where a member on the way stands twice: which one counts is unclear. */
export function nodeAt(root: Node, path: JsonPath): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) {
    if (node?.type === 'object') {
      const same = node.children?.filter((property) => property.children?.[0]?.value === step) ?? [];
      if (same.length > 1) throw new FileRefused(`has "${step}" twice`);
    }
    node = node && findNodeAtLocation(node, [step]);
  }
  return node;
}

/**
 * Sets the value at the path: in place of the one there, or as a last member; objects on the way are made. A last step
 * of -1 adds to the array before it, which is made too. Throws {@link FileRefused} when something else is in the way.
 *
 *     setJson('{"a": 1}', ['mcpServers', 'switchyard'], { command: 'switchyard' })
 */
export function setJson(text: string, path: JsonPath, value: unknown): string {
  if (text.trim() === '') return JSON.stringify(nested(path, value), null, 2) + eolOf(text);
  const root = parseJson(text);
  const there = nodeAt(root, path);
  if (there) return splice(text, there.offset, there.length, render(text, value, depthOf(there)));
  let at = path.length - 1;
  let container = nodeAt(root, path.slice(0, at));
  while (!container) container = nodeAt(root, path.slice(0, --at));
  const step = path[at];
  const wanted = step === -1 ? 'array' : 'object';
  if (container.type !== wanted)
    throw new FileRefused(`has "${path.slice(0, at).join('.')}", which is no ${wanted}`);
  const content = render(text, nested(path.slice(at + 1), value), depthOf(container) + 1);
  const colon = isOnOneLine(text) ? ':' : ': ';
  return addTo(text, container, step === -1 ? content : `${JSON.stringify(step)}${colon}${content}`);
}

function nested(path: JsonPath, value: unknown): unknown {
  return path.reduceRight<unknown>((inner, step) => (step === -1 ? [inner] : { [step]: inner }), value);
}

/** A text without a line break between its braces is kept so, unless it is empty. */
function isOnOneLine(text: string): boolean {
  return !/^\s*\{\s*\}\s*$/.test(text) && !text.trim().includes('\n');
}

/**
 * The value as JSON, in the indentation of the text. Brackets written here have white space behind them, and a member
 * put into brackets that were there has none: that tells {@link removeJson} whose they are.
 */
function render(text: string, value: unknown, depth: number): string {
  const indent = indentOf(text);
  const lines = JSON.stringify(value, null, indent).split('\n');
  if (!isOnOneLine(text)) return lines.join(eolOf(text) + indent.repeat(depth));
  return lines.map((line) => line.trim().replace(/[{[]$/, '$& ')).join('');
}

/** How many objects and arrays a node lies in. */
function depthOf(node: Node): number {
  let depth = 0;
  for (let up = node.parent; up; up = up.parent) if (up.type !== 'property') depth++;
  return depth;
}

function addTo(text: string, container: Node, content: string): string {
  const last = container.children?.at(-1);
  if (!last) return splice(text, container.offset + 1, 0, content);
  const lastEnd = last.offset + last.length;
  const close = container.offset + container.length - 1;
  const comma = commaIn(text, lastEnd, close);
  const spaceFrom = text.slice(0, close).trimEnd().length;
  const isSpread = text.slice(lastEnd, close).includes('\n');
  const lead = isSpread ? eolOf(text) + lineIndent(text, last.offset) : isOnOneLine(text) ? '' : ' ';
  const added = splice(text, spaceFrom, 0, lead + content + (comma === null ? '' : ','));
  return comma === null ? splice(added, lastEnd, 0, ',') : added;
}

/** The white space that the line of this place starts with. */
function lineIndent(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(start, offset))?.[0] ?? '';
}

/** Takes out what stands at the path, and the brackets around it that were written for it. '' when nothing is left. */
export function removeJson(text: string, path: JsonPath): string {
  const value = nodeAt(parseJson(text), path);
  if (!value) return text;
  const target = value.parent?.type === 'property' ? value.parent : value;
  const container = target.parent;
  if (!container) return withoutRoot(text, value);
  const siblings = container.children ?? [];
  if (siblings.length === 1 && isOurs(text, container, target)) return removeJson(text, path.slice(0, -1));
  return cutFrom(text, container, siblings, siblings.indexOf(target));
}

/** What a person wrote around the object keeps the file. */
function withoutRoot(text: string, root: Node): string {
  const rest = splice(text, root.offset, root.length, '');
  return rest.trim() === '' ? '' : splice(text, root.offset, root.length, '{}');
}

/** Whether the brackets were written together with their only content: nothing but white space is on either side. */
function isOurs(text: string, container: Node, only: Node): boolean {
  const inside = text.slice(container.offset + 1, only.offset);
  const behind = text.slice(only.offset + only.length, container.offset + container.length - 1);
  return /^\s+$/.test(inside) && behind.trim() === '';
}

function cutFrom(text: string, container: Node, siblings: readonly Node[], index: number): string {
  const target = siblings[index]!;
  const end = target.offset + target.length;
  const next = siblings[index + 1];
  const before = siblings[index - 1];
  const commaBehind = commaIn(text, end, next?.offset ?? container.offset + container.length - 1);
  // White space before it is part of it, except behind the bracket of an array or object that was there before.
  const from = before || next ? text.slice(0, target.offset).trimEnd().length : target.offset;
  const cut = splice(text, from, (commaBehind === null ? end : commaBehind + 1) - from, '');
  if (commaBehind !== null || !before) return cut;
  const commaBefore = commaIn(text, before.offset + before.length, target.offset);
  return commaBefore === null ? cut : splice(cut, commaBefore, 1, '');
}

/** Where the comma is between two places that hold only white space, comments and at most one comma; or null. */
function commaIn(text: string, from: number, to: number): number | null {
  const tokens = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|,/g;
  for (const match of text.slice(from, to).matchAll(tokens)) if (match[0] === ',') return from + match.index;
  return null;
}

function splice(text: string, offset: number, length: number, insert: string): string {
  return text.slice(0, offset) + insert + text.slice(offset + length);
}
