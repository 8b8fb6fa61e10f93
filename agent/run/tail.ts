import { plain } from '../work/outcome.ts';

const linesMax = 20;
const lengthMax = 4_000;

/** The last lines that a command wrote, to say what became of an item. Bounded, however much it writes. */
export class Tail {
  readonly #lines: string[] = [];

  add(line: string): void {
    const text = plain(line).trimEnd();
    // Blank lines between are worth keeping, not those at the beginning.
    if (text === '' && this.#lines.length === 0) return;
    this.#lines.push(text);
    if (this.#lines.length > linesMax) this.#lines.shift();
  }

  lastLine(): string {
    return this.#lines.findLast((line) => line !== '') ?? '';
  }

  /** Empty when nothing was written. */
  toString(): string {
    const text = this.#lines.join('\n').trim();
    return text.length > lengthMax ? `…${text.slice(1 - lengthMax)}`.toWellFormed() : text;
  }
}
