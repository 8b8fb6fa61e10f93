// How a text is laid out, so that what is added looks like what is there.

/** The line ending of a text: that of its first line. */
export function eolOf(text: string): '\n' | '\r\n' {
  return /\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n';
}

/** One step of indentation: that of the first indented line; two blanks when there is none. */
export function indentOf(text: string): string {
  return /^([ \t]+)\S/m.exec(text)?.[1] ?? '  ';
}

/**
 * Adds lines at the end, after an empty line. A text without a last line ending gets none, so that taking the lines
 * out again with {@link cutLines} leaves every byte as it was.
 */
export function appendLines(text: string, lines: readonly string[]): string {
  const eol = eolOf(text);
  const block = lines.join(eol);
  if (text === '') return block + eol;
  return text.endsWith('\n') ? `${text}${eol}${block}${eol}` : `${text}${eol}${eol}${block}`;
}

/** Takes out what stands from `start` to `end`, whole lines without their last ending, and the empty line before it. */
export function cutLines(text: string, start: number, end: number): string {
  const after = text.slice(end).replace(/^\r?\n/, '');
  const endedLine = after.length < text.length - end;
  let before = text.slice(0, start).replace(/(^|\n)\r?\n$/, '$1');
  if (!endedLine) before = before.replace(/\r?\n$/, '');
  // At the beginning of a text, what was put behind it came with an empty line of its own.
  return before === '' ? after.replace(/^\r?\n/, '') : before + after;
}
