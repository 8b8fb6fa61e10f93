import { stripVTControlCharacters, styleText } from 'node:util';
import { Refusal } from '@switchyard/shared/errors';
import { Misuse } from '../command.ts';
import { NoHub } from '../hub-address.ts';

/** Where text goes: `process.stdout`, `process.stderr`, or a stream of a test. */
export type TextStream = NodeJS.WritableStream & { isTTY?: boolean; columns?: number; rows?: number };

export type Style = Parameters<typeof styleText>[0];

/** An error as `--json` prints it: a hub's own, or one of this side under the same form. */
export interface Failure {
  code: string;
  message: string;
  details: Record<string, unknown>;
}

/**
 * Where everything that a command says goes out, and the one place that knows of `--json`: with it stdout carries
 * exactly one JSON value, the result or `{"error": {code, message, details}}`, and nothing else. What is only for
 * people goes to stderr.
 */
export class Output {
  readonly json: boolean;
  readonly #stdout: TextStream;
  readonly #stderr: TextStream;

  constructor({ json, stdout, stderr }: { json: boolean; stdout: TextStream; stderr: TextStream }) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Whether a person looks at stdout, so that it may be repainted. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true && !this.json;
  }

  /** Columns of the terminal; unbounded in a pipe, which is read by programs. */
  get width(): number {
    return this.#stdout.isTTY ? this.#stdout.columns || 80 : Infinity;
  }

  /** Lines of the terminal. */
  get height(): number {
    return this.#stdout.rows || 24;
  }

  get stdout(): TextStream {
    return this.#stdout;
  }

  /** The result of a command, once: the value as it came from the hub, or text for people. */
  result(value: unknown, text: () => string): void {
    this.#stdout.write(this.json ? `${JSON.stringify(value, null, 2)}\n` : withLineEnd(text()));
  }

  /** One of many results of a command that goes on: a JSON value a line, or a line for people. */
  line(value: unknown, text: () => string): void {
    this.#stdout.write(this.json ? `${JSON.stringify(value)}\n` : withLineEnd(text()));
  }

  /** Something for people besides the result: how far it is, what is strange, what to do next. */
  note(text: string): void {
    this.#stderr.write(withLineEnd(text));
  }

  /** Says why a command came to nothing. */
  failure(error: unknown): void {
    if (this.json) this.result({ error: failureOf(error) }, () => '');
  }

  /** Text in a colour, where stdout shows colours: not in a pipe, and not under NO_COLOR. */
  style(format: Style, text: string): string {
    return styleText(format, text, { stream: this.#stdout });
  }
}

/** An error under the form of the wire. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refusal) return error.toJSON();
  const { message } = error instanceof Error ? error : { message: String(error) };
  const plain = stripVTControlCharacters(message);
  if (error instanceof NoHub) return { code: 'NO_HUB', message: plain, details: {} };
  if (error instanceof Misuse) return { code: 'USAGE', message: plain, details: {} };
  return { code: 'INTERNAL', message: plain, details: {} };
}

function withLineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}
