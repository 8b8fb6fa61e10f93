import { appendLines, cutLines, eolOf } from './layout.ts';
import { FileRefused } from './text-file.ts';

/** A block of a Markdown file that is written, and written anew, by setup. */
export interface Block {
  /** The clients it was written for, in the order they came. */
  readonly owners: readonly string[];
  readonly lines: readonly string[];
}

const begin = /^<!-- switchyard:begin(?: for ([\w, -]*?))?(?: \(.*\))? -->[ \t]*\r?$/m;
const end = /^<!-- switchyard:end -->[ \t]*\r?$/m;
const hint = '(kept by `switchyard setup`: changes between these two lines are lost)';

/** The block of a text, with the place it has in it; undefined when there is none. Throws {@link FileRefused}. */
export function findBlock(text: string): (Block & { start: number; end: number }) | undefined {
  const opening = begin.exec(text);
  if (!opening) {
    if (end.test(text))
      throw new FileRefused('has a line switchyard:end without switchyard:begin: mend it by hand');
    return undefined;
  }
  const from = opening.index + opening[0].length;
  const closing = end.exec(text.slice(from));
  const inside = closing && text.slice(from, from + closing.index);
  if (!closing || inside === null || begin.test(inside))
    throw new FileRefused('has a line switchyard:begin without switchyard:end: mend it by hand');
  return {
    owners: (opening[1] ?? '').split(', ').filter((owner) => owner !== ''),
    lines: inside.split(/\r?\n/).slice(1, -1),
    start: opening.index,
    end: from + closing.index + closing[0].trimEnd().length,
  };
}

/** Puts the block in the place of the one there, or at the end. */
export function setBlock(text: string, { owners, lines }: Block): string {
  const all = [
    `<!-- switchyard:begin for ${owners.join(', ')} ${hint} -->`,
    ...lines,
    '<!-- switchyard:end -->',
  ];
  const there = findBlock(text);
  if (!there) return appendLines(text, all);
  return text.slice(0, there.start) + all.join(eolOf(text)) + text.slice(there.end);
}

/** Takes the block out. */
export function removeBlock(text: string): string {
  const there = findBlock(text);
  return there ? cutLines(text, there.start, there.end) : text;
}
