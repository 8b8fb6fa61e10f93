import { ArgumentScannerError, text_en, type ApplicationText } from '@stricli/core';
import { Refusal } from '@switchyard/shared/errors';
import { Misuse } from '../command.ts';
import { NoHub } from '../hub-address.ts';

type Wording = Pick<
  ApplicationText,
  | 'noCommandRegisteredForInput'
  | 'exceptionWhileParsingArguments'
  | 'exceptionWhileLoadingCommandFunction'
  | 'exceptionWhileRunningCommand'
>;

/** Stricli tells of a failure only by asking for the words for it: they are given here, and `failed` is told. */
export function wordingOf(failed: (error: unknown) => void): Wording {
  const say = (error: Error, ansiColor: boolean) => {
    failed(error);
    return calm(messageFor(error), ansiColor);
  };
  return {
    noCommandRegisteredForInput: (args) => {
      const unknown = text_en
        .noCommandRegisteredForInput(args)
        .replace('No command registered for', 'There is no command');
      return say(new Misuse(`${unknown.replaceAll('`', '"')} See switchyard --help.`), args.ansiColor);
    },
    exceptionWhileParsingArguments: (error, ansiColor) => {
      const message = error instanceof ArgumentScannerError ? error.message : (error as Error).message;
      return say(new Misuse(`${message.replace(/[^.?]$/, '$&.')} See --help.`), ansiColor);
    },
    exceptionWhileLoadingCommandFunction: (error, ansiColor) => say(error as Error, ansiColor),
    exceptionWhileRunningCommand: (error, ansiColor) => say(error as Error, ansiColor),
  };
}

const promptWords: readonly (readonly [RegExp, string])[] = [
  [/\bitem\.claim_next\b/g, 'switchyard claim --next'],
  [/\bitems?\.(explain|retry|claim|release|complete|fail|cancel|list)\b/g, 'switchyard $1'],
  [/\bitem\.get\b/g, 'switchyard show'],
  [/\bitem\.create\b/g, 'switchyard add'],
  [/\bproject\.(list|create)\b/g, 'switchyard projects $1'],
  [/\btoken\.(create|list|revoke)\b/g, 'switchyard token $1'],
];

/** A hub speaks of its commands; people at a prompt have those of the command line. */
export function inWordsOfThePrompt(message: string): string {
  return promptWords.reduce((text, [name, command]) => text.replace(name, command), message);
}

/** What a person reads of an error: a sentence for what was to be expected, the stack for a fault of ours. */
export function messageFor(error: Error): string {
  const expected = error instanceof Refusal || error instanceof Misuse || error instanceof NoHub;
  if (!expected) return `This is a fault in switchyard: ${error.stack ?? error.message}`;
  return inWordsOfThePrompt(error.message);
}

/** Stricli paints a whole message bold and red, which nobody likes to read: only the first word stays so. */
function calm(message: string, ansiColor: boolean): string {
  return ansiColor ? `error:\x1b[39m\x1b[22m ${message}` : `error: ${message}`;
}
