import { basename } from 'node:path';
import { styleText } from 'node:util';
import type { Style, TextStream } from '../cli/output.ts';
import { coloured } from './lines.ts';
import { plain } from '../work/outcome.ts';
import type { Stream } from './child.ts';

const palette: readonly Style[] = ['cyan', 'magenta', 'green', 'yellow', 'blue', 'red'];

export interface ConsoleOptions {
  stdout: TextStream;
  stderr: TextStream;
}

/**
 * What a runner shows: the output of its commands, each line with the number of its item, and lines of its own,
 * which carry the time, on stderr. A terminal gets the time of day and colours; a file gets whole dates.
 */
export class RunConsole {
  readonly #streams: Record<Stream, TextStream>;

  constructor({ stdout, stderr }: ConsoleOptions) {
    this.#streams = { stdout, stderr };
  }

  /** A line that the command for an item wrote. */
  output(number: number, stream: Stream, line: string): void {
    const to = this.#streams[stream];
    const prefix = paint(to, palette[number % palette.length]!, `#${number} │`);
    to.write(`${prefix} ${to.isTTY ? coloured(line) : plain(line)}\n`);
  }

  /** Says something about the runner, or about an item. */
  say(text: string, { item, style }: { item?: number; style?: Style } = {}): void {
    const to = this.#streams.stderr;
    const about = item === undefined ? '' : `${paint(to, palette[item % palette.length]!, `#${item}`)} `;
    // What is quoted (titles, names of files and of agents) was written by others.
    const [first = '', ...rest] = text.split('\n').map((line) => plain(line));
    const lines = [first, ...rest.map((line) => `  ${line}`)].join('\n');
    to.write(`${paint(to, 'dim', timeFor(to))} ${about}${style ? paint(to, style, lines) : lines}\n`);
  }
}

function paint(stream: TextStream, style: Style, text: string): string {
  return styleText(style, text, { stream: stream });
}

function timeFor(stream: TextStream): string {
  const now = new Date();
  if (!stream.isTTY) return `${now.toISOString().slice(0, 19)}Z`;
  return now.toLocaleTimeString('en-GB');
}

/** How a command is called in messages. */
export function nameOf(command: readonly string[]): string {
  return basename(command[0] ?? '');
}
