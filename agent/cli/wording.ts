import {
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  text_en,
  type ApplicationText,
} from '@stricli/core';
import { Refusal } from '@switchyard/shared/errors';
import { Misuse } from '../command.ts';
import { NoHub } from '../hub-address.ts';

type Wording = Pick<
  ApplicationText,
  | 'briefs'
  | 'noCommandRegisteredForInput'
  | 'exceptionWhileParsingArguments'
  | 'exceptionWhileLoadingCommandFunction'
  | 'exceptionWhileRunningCommand'
>;

const briefs = {
  ...text_en.briefs,
  argumentEscapeSequence: 'What follows are arguments, even where it begins with a dash',
};

/** Stricli tells of a failure only by asking for the words for it: they are given here, and `failed` is told. */
export function wordingOf(failed: (error: unknown) => void): Wording {
  const say = (error: Error, ansiColor: boolean) => {
    failed(error);
    return calm(messageFor(error), ansiColor);
  };
  return {
    briefs,
    noCommandRegisteredForInput: ({ input, corrections, ansiColor }) => {
      const meant = orRather(corrections, '').replaceAll('`', '');
      return say(new Misuse(`There is no command ${input}${meant} See switchyard --help.`), ansiColor);
    },
    exceptionWhileParsingArguments: (error, ansiColor) =>
      say(new Misuse(`${wrongCall(error)} See --help.`), ansiColor),
    exceptionWhileLoadingCommandFunction: (error, ansiColor) => say(error as Error, ansiColor),
    exceptionWhileRunningCommand: (error, ansiColor) => say(error as Error, ansiColor),
  };
}

/** What is not right about the arguments, in a sentence. */
function wrongCall(error: unknown): string {
  if (!(error instanceof ArgumentScannerError)) return (error as Error).message;
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) =>
      `There is no flag --${input}${orRather(corrections, '--')}`,
    AliasNotFoundError: ({ input }) => `There is no flag -${input}.`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input, exception }) =>
      `${/^[a-z-]+$/.test(name) ? '--' : ''}${name} "${input}": ${(exception as Error).message}.`,
    EnumValidationError: ({ externalFlagName, input, values }) =>
      `--${externalFlagName} "${input}": not one of ${values.join(', ')}.`,
    UnexpectedFlagError: ({ externalFlagName, previousInput, input }) =>
      `--${externalFlagName} was given twice: "${previousInput}" and "${input}".`,
    UnexpectedPositionalError: ({ input }) =>
      `Too many arguments, from "${input}" on. Text with spaces needs quotes.`,
    UnsatisfiedFlagError: ({ externalFlagName, nextFlagName }) =>
      nextFlagName === undefined
        ? `--${externalFlagName} is missing, or its value.`
        : `--${externalFlagName} needs a value before --${nextFlagName}.`,
    UnsatisfiedPositionalError: ({ placeholder }) => `${placeholder} is missing.`,
  });
}

function orRather(corrections: readonly string[], prefix: string): string {
  return corrections.length === 0
    ? '.'
    : `, did you mean ${corrections.map((one) => prefix + one).join(' or ')}?`;
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
