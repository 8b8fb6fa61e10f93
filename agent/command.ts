import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Refusal } from '@switchyard/shared/errors';
import { decodeText } from '@switchyard/shared/import/bytes';
import { NoHub } from './hub-address.ts';

/** A fault of whoever called a command: shown without a stack, with exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

/** Exit codes: 0 well, 1 the hub refused or is away, 2 misuse. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const expected = error instanceof Misuse || error instanceof Refusal || error instanceof NoHub;
    console.error(expected ? error.message : error.stack);
    process.exitCode = error instanceof Misuse ? 2 : 1;
  }
}

/** Turns what node:util parseArgs throws into a `Misuse`. */
export function readArguments<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Misuse(`${(error as Error).message} See --help.`);
  }
}

/** A text file that was named on the command line. Throws `Misuse`. */
export async function readTextFile(file: string): Promise<string> {
  try {
    // npm runs scripts in the root of the package, and says where it was called.
    return decodeText(await readFile(resolve(process.env.INIT_CWD ?? '', file)));
  } catch (error) {
    throw new Misuse(`${file} cannot be read: ${(error as Error).message}`);
  }
}
