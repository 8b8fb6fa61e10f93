import { proposeCompletions, type Application } from '@stricli/core';
import type { Cli } from './context.ts';

/** How a command line may go on, of which bash hands over the words, and in COMP_LINE the whole. */
export async function propose(cli: Cli, app: Application<Cli>, words: readonly string[]): Promise<string[]> {
  const [, ...sofar] = words;
  // The space at the end, with which a new word begins, is nowhere else.
  if (words.length === 1 || cli.env.COMP_LINE?.endsWith(' ')) sofar.push('');
  const proposals = await proposeCompletions(app, sofar, cli);
  return proposals.map(({ completion }) => completion);
}
