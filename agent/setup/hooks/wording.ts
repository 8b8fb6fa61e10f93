// What hooks tell a model: what is the case, and what it can do next.
import { stripVTControlCharacters } from 'node:util';
import type { Conflict, Item } from '@switchyard/shared/item';
import { shellWord } from '../launcher.ts';

const titleLengthMax = 80;

/** Titles are written by others: shortened, quoted, on one line. */
function named({ number, title }: { number: number; title: string }): string {
  const line = stripVTControlCharacters(title).replace(/\s+/g, ' ');
  const short = line.length > titleLengthMax ? `${line.slice(0, titleLengthMax - 1)}…` : line;
  return `#${number} ${JSON.stringify(short)}`;
}

const list = (files: readonly string[]) => files.join(', ');

function whoHas(conflict: Conflict): string {
  const since = `since ${conflict.since.slice(0, 16).replace('T', ' ')} UTC`;
  return `${conflict.agent_id} has ${list(conflict.conflicting_files)} for item ${named(conflict)} (${since}).`;
}

export function refusalText(files: readonly string[], conflicts: readonly Conflict[]): string {
  return [
    `Switchyard did not let this edit of ${list(files)} through, because in this project only one agent at a time works on a file.`,
    ...conflicts.map(whoHas),
    'Leave the file alone: go on with another part of your item, or put your item back (release_item) and claim another ' +
      '(claim_item). When the other item is done, the file is free again (check_files says so).',
  ].join('\n');
}

export function warningText(conflicts: readonly Conflict[]): string {
  return [
    'Switchyard: another agent works on the same file.',
    ...conflicts.map(whoHas),
    'Read the file afresh before you change it, keep the change small, touch nothing that is theirs, and name the file ' +
      'in the summary of your item.',
  ].join('\n');
}

export function holdText(items: readonly Item[], project: string, agentId: string): string {
  const who = `--project ${shellWord(project)} --agent ${shellWord(agentId)}`;
  const [first] = items;
  const number = first?.number ?? 0;
  return [
    `You still hold ${items.map(named).join(', ')} in Switchyard. Before you stop, end each of them:`,
    `- done: complete_item with a summary (in a shell: switchyard complete ${number} ${who} --summary "…")`,
    `- cannot be done: fail_item with a reason (switchyard fail ${number} ${who} --reason "…")`,
    `- not finished: release_item, so that another agent can take it (switchyard release ${number} ${who})`,
    'If another session in this folder works on it, or you wait for an answer of the user, say so and stop.',
  ].join('\n');
}

export function lostText(item: Item): string {
  return `Switchyard: ${named(item)} is no longer yours. Stop working on it, and claim another item (claim_item).`;
}
