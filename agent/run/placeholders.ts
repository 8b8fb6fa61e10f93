import { basename } from 'node:path';
import { Misuse } from '../command.ts';
import { DoNotRetry } from '../work/context.ts';
import type { ItemText } from './item-text.ts';

const names = [
  'id',
  'number',
  'title',
  'description',
  'task_type',
  'priority',
  'attempt',
  'project',
  'agent',
  'branch',
  'files',
] as const satisfies readonly (keyof ItemText)[];
type Name = (typeof names)[number];

/** Those whose text anybody may have written who may add an item. */
const freeText: readonly Name[] = ['title', 'description', 'files'];
const placeholder = new RegExp(`\\{(${names.join('|')})\\}`, 'g');

/** Programs that read an argument as a program, and the flag before it. */
const interpreters: readonly (readonly [program: RegExp, flag: RegExp])[] = [
  [/^(ba|da|z|k|mk|a|fi)?sh$/, /^-[a-z]*c$/],
  [/^(su|script|npm|npx)$/, /^-[a-zA-Z]*c$/],
  [/^(python|pypy)[\d.]*$/, /^-[a-zA-Z]*c$/],
  [/^(node|nodejs|bun|deno)$/, /^(-e|-p|-pe|--eval|--print)$/],
  [/^(perl|ruby|lua)[\d.]*$/, /^-[a-z]*e$/i],
];

/**
 * Refuses a command that would have a shell, or another interpreter, read the text of items as a program: with
 * `sh -c 'echo {title}'` the title `$(rm -rf .)` would be run. Throws `Misuse`.
 */
export function checkTemplate(command: readonly string[]): void {
  if (freeTextIn(command[0] ?? ''))
    throw new Misuse(
      'What an item says must not be the command itself: anybody who may add an item could run programs here.',
    );
  for (const [at, word] of command.entries()) {
    const program = basename(word);
    for (const script of scriptsFor(program, command.slice(at + 1))) {
      const found = [...script.matchAll(placeholder)].find(([, name]) =>
        freeText.includes(name as Name),
      )?.[1];
      if (found === undefined) continue;
      throw new Misuse(
        `{${found}} must not stand in what ${program} runs as a program: anybody who may add an item could run ` +
          `programs here. Read it from the environment instead: "$SWITCHYARD_ITEM_${found.toUpperCase()}".`,
      );
    }
  }
}

function freeTextIn(text: string): Name | undefined {
  return [...text.matchAll(placeholder)]
    .map(([, name]) => name as Name)
    .find((name) => freeText.includes(name));
}

/** What a program would run of its arguments. */
function scriptsFor(program: string, rest: readonly string[]): readonly string[] {
  if (program === 'ssh') return rest; // the shell at the other end reads all of it
  const flag = interpreters.find(([name]) => name.test(program))?.[1];
  if (!flag) return [];
  // Past the first argument that is no flag (nor the value of one, as in `bash -o pipefail`) flags are the script's own.
  const end = rest.findIndex(
    (argument, n) => !/^[-+]/.test(argument) && !/^[-+]\w*o$/i.test(rest[n - 1] ?? ''),
  );
  const found = rest.findIndex((argument, n) => flag.test(argument) && (end < 0 || n < end));
  return found < 0 ? [] : rest.slice(found + 1, found + 2);
}

/**
 * The command for one item: `{title}` and the like replaced, each argument staying one argument. `{files}` as an
 * argument of its own becomes one argument a file. Braces that are no placeholder stay as they are, because globs, JSON and code
 * are full of them. Throws `DoNotRetry` when a text would be read as an option.
 *
 *     fillPlaceholders(['lint', '{title}'], text); // ['lint', 'Fix the "tests"; rm -rf /']
 */
export function fillPlaceholders(command: readonly string[], text: ItemText): string[] {
  const optionsEnd = command.indexOf('--');
  return command.flatMap((argument, at) => {
    if (argument === '{files}') return text.files;
    const filled = argument.replace(placeholder, (_, name: Name) => {
      const value = text[name];
      return typeof value === 'string' ? value : value.join('\n');
    });
    const isOption = filled.startsWith('-') && !argument.startsWith('-');
    if (isOption && (optionsEnd < 0 || at < optionsEnd))
      throw new DoNotRetry(
        `Not run: ${argument} begins with "-" here, and ${basename(command[0]!)} would read it as an option. ` +
          `Put -- before ${argument} in the command, or let it read the environment or stdin.`,
      );
    return [filled];
  });
}
