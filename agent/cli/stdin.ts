import { text } from 'node:stream/consumers';
import { Misuse } from '../command.ts';
import type { Cli } from './context.ts';

/** All that is piped in. Throws `Misuse` at a terminal, where nobody would know that something is waited for. */
export async function readStdin(cli: Cli): Promise<string> {
  const { stdin } = cli.process;
  if (stdin.isTTY)
    throw new Misuse('- reads from stdin: pipe something in, as in "cat notes.txt | switchyard …".');
  return text(stdin);
}

/** A flag's text as it stands; `-` stands for what is piped in, without its last line end. */
export async function textOrStdin(cli: Cli, flag: string): Promise<string> {
  return flag === '-' ? (await readStdin(cli)).replace(/\r?\n$/, '') : flag;
}
