import { plain } from '../work/outcome.ts';

/** A longer line is broken: what a command writes without line breaks must not be kept whole. */
const lineLengthMax = 8_192;

/**
 * Turns bytes, however they are cut into chunks, into lines of text. What is no UTF-8 becomes U+FFFD; a line that
 * was rewritten by carriage returns, as progress bars do, counts as it stood last.
 *
 *     const lines = new Lines((line) => console.log(line));
 *     child.stdout.on('data', (bytes) => lines.write(bytes)).on('end', () => lines.end());
 */
export class Lines {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #pending = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  write(bytes: Uint8Array): void {
    this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Hands on what came after the last line break. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#pending !== '') this.#onLine(lastRewrite(this.#pending));
    this.#pending = '';
  }

  #take(text: string): void {
    const lines = (this.#pending + text).split('\n');
    this.#pending = lastRewrite(lines.pop()!, true);
    for (const line of lines) for (const part of broken(lastRewrite(line))) this.#onLine(part);
    while (this.#pending.length > lineLengthMax) {
      const [first, ...rest] = broken(this.#pending);
      this.#onLine(first!);
      this.#pending = rest.join('');
    }
  }
}

/** What a terminal would show of a line with carriage returns. The last one of an open line may belong to a `\r\n`. */
function lastRewrite(line: string, isOpen = false): string {
  const end = line.endsWith('\r') ? line.length - 1 : line.length;
  const from = line.lastIndexOf('\r', end - 1) + 1;
  return line.slice(end === 0 ? 0 : from, isOpen ? line.length : end);
}

function broken(line: string): string[] {
  const parts = [];
  for (let from = 0; from < line.length || from === 0; from += lineLengthMax)
    parts.push(line.slice(from, from + lineLengthMax));
  return parts;
}

// eslint-disable-next-line no-control-regex
const colour = /(\u001b\[[\d;:]*m)/;

/** A line without what would move a cursor or ring a bell; its colours stay, and end with it. For terminals. */
export function coloured(line: string): string {
  const parts = line.split(colour);
  if (parts.length === 1) return plain(line);
  return parts.map((part, n) => (n % 2 ? part : plain(part))).join('') + '\u001b[0m';
}
