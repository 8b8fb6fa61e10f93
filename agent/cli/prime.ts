import type { Progress } from '@switchyard/shared/agent';
import type { ConflictPair, Item } from '@switchyard/shared/item';
import type { Call } from '../call.ts';
import { fromNow } from './time.ts';

/** What an agent needs to know now. */
export interface Primer {
  project: string;
  agent_id: string;
  progress: Progress;
  /** What the agent holds; the first few. */
  holding: Item[];
  /** What may be claimed; the first few. */
  ready: Item[];
  conflicts: ConflictPair[];
}

/** About 2,000 tokens: four characters each in plain English. */
export const primeLengthMax = 8_000;
const holdingMax = 5;
const readyMax = 10;
const conflictsMax = 3;
const filesMax = 3;
const titleMax = 100;
const pathMax = 60;
const descriptionMax = 200;

/** Asks the hub for what an agent needs to know of a project. Throws the hub's `Refusal`. */
export async function readPrimer(call: Call, project: string, agentId: string): Promise<Primer> {
  const [{ progress }, holding, ready, { conflicts }] = await Promise.all([
    call('project.progress', { project }),
    call('item.list', { project, status: ['claimed'], agent: agentId, limit: holdingMax }),
    call('item.list', { project, ready: true, sort: 'priority', limit: readyMax }),
    call('project.conflicts', { project }),
  ]);
  return { project, agent_id: agentId, progress, holding: holding.items, ready: ready.items, conflicts };
}

/**
 * What Switchyard is, how the project stands, what this agent holds and might take, and how: Markdown of at most
 * 8,000 characters, however large the project. Throws the hub's `Refusal`.
 *
 *     const markdown = await primeText(call, 'shop', 'anna');
 */
export async function primeText(call: Call, project: string, agentId: string): Promise<string> {
  return primerText(await readPrimer(call, project, agentId));
}

/** The same of what was read already. `held` is the item that `switchyard run` started this agent for. */
export function primerText(primer: Primer, held?: string): string {
  // The commands come before the lists: should it have to be cut, then at what can be asked for.
  return fitted(
    [introduction(primer), commandsFor(held), holdingOf(primer), conflictsOf(primer), readyOf(primer)].join(
      '\n\n',
    ),
  );
}

function introduction({ project, agent_id, progress }: Primer): string {
  const { done, total, cancelled, ready, blocked, claimed, failed, percent } = progress;
  return `# Switchyard: project ${project}

Several agents work on this project at the same time. Switchyard keeps the list of work items and decides who works on
what. You are agent \`${agent_id}\`. Claim an item before you change anything for it, say which files you touch, and
complete or fail it when you are done: then nobody does it twice, and others see whose files are whose.

${Math.floor(percent)}% done: ${done} of ${total - cancelled} items; ${ready} ready, ${claimed} claimed, ${blocked} blocked, ${failed} failed.`;
}

function commandsFor(held: string | undefined): string {
  if (held !== undefined)
    return `## Commands

You were started by \`switchyard run\` for one item (below): it keeps the claim, and completes or fails the item when
you end. Do not claim, complete or release anything yourself.

- \`switchyard files check PATH…\`: who else works on these files (exit code 6: somebody does)
- \`switchyard heartbeat --progress 50 --note "tables done"\`: how far you are
- \`switchyard add TITLE --description TEXT\`: work that you found and will not do now
- \`switchyard show ITEM\`: everything about an item`;
  return `## Commands

- \`switchyard claim --next\`, or \`switchyard claim ITEM\`: take an item (exit code 5: nothing is ready)
- \`switchyard files check PATH…\`: who else works on these files (exit code 6: somebody does); \`switchyard files report PATH…\`: you touched them
- \`switchyard heartbeat --progress 50 --note "tables done"\`: you are alive, and how far; at least every 4 minutes
- \`switchyard complete --summary TEXT\`, \`switchyard fail --reason TEXT\`, or \`switchyard release\` to put it back unfinished
- \`switchyard add TITLE --description TEXT [--depends-on ITEM] [--parent ITEM]\`: work that you found and will not do now, or parts of an item that is too large
- \`switchyard show ITEM\`, \`switchyard explain ITEM\`, \`switchyard list --search WORDS\`: look things up

ITEM is a number, as 31; left out, it is the one you hold. \`--json\` gives JSON, \`--help\` the rest. A claim that is lost (CLAIM_LOST) or cancelled is no longer yours: stop working on it.`;
}

function holdingOf({ holding }: Primer): string {
  if (holding.length === 0) return '## You hold\n\nNothing. Claim an item first.';
  return `## You hold\n\n${holding.map(heldText).join('\n')}`;
}

function heldText(item: Item): string {
  const lease = item.lease_expires_at === null ? '' : `, lease ends ${fromNow(item.lease_expires_at)}`;
  const files = [...new Set([...item.files_planned, ...item.files_modified])];
  const about = item.description === null ? '' : `\n  ${short(item.description, descriptionMax)}`;
  const touches = files.length === 0 ? '' : `\n  Files: ${filesOf(files)}`;
  return `- ${nameOf(item)} (attempt ${item.attempt}, ${Math.round(item.progress ?? 0)}%${lease})${touches}${about}`;
}

function conflictsOf({ conflicts, agent_id }: Primer): string {
  if (conflicts.length === 0) return '## Files that two work on\n\nNone.';
  const mine = (pair: ConflictPair) => pair.items.some((item) => item.agent_id === agent_id);
  const sorted = [...conflicts.filter(mine), ...conflicts.filter((pair) => !mine(pair))];
  const lines = sorted.slice(0, conflictsMax).map((pair) => {
    const both = pair.items.map((item) => `${nameOf(item)} (${short(item.agent_id, 60)})`).join(' and ');
    return `- ${mine(pair) ? '**Yours:** ' : ''}${both}: ${filesOf(pair.conflicting_files)}`;
  });
  const more = conflicts.length - lines.length;
  return [
    '## Files that two work on',
    '',
    ...lines,
    ...(more > 0 ? [`- and ${more} more: \`switchyard status\``] : []),
  ].join('\n');
}

function readyOf({ ready, progress }: Primer): string {
  if (ready.length === 0) return '## Ready\n\nNothing at this moment.';
  const lines = ready.map((item) => {
    const type = item.task_type === null ? '' : `${item.task_type}, `;
    return `- ${nameOf(item)} (${type}priority ${item.priority})`;
  });
  const more = progress.ready - lines.length;
  return [
    '## Ready, first things first',
    '',
    ...lines,
    ...(more > 0 ? [`- and ${more} more: \`switchyard ready\``] : []),
  ].join('\n');
}

const nameOf = ({ number, title }: { number: number; title: string }) =>
  `#${number} ${short(title, titleMax)}`;

function filesOf(files: readonly string[]): string {
  const more = files.length > filesMax ? ` and ${files.length - filesMax} more` : '';
  return (
    files
      .slice(0, filesMax)
      .map((file) => `\`${shortPath(file)}\``)
      .join(', ') + more
  );
}

/** The end of a path tells more than its beginning. */
const shortPath = (path: string) => (path.length <= pathMax ? path : `…${path.slice(1 - pathMax)}`);

/** One line of at most about `max` characters of English; of letters that cost a token each, fewer. */
function short(text: string, max: number): string {
  const line = text.replace(/\s+/g, ' ').trim();
  let cost = 0;
  let kept = '';
  for (const letter of line) {
    cost += costOf(letter);
    if (cost > max) return `${kept.trimEnd()}…`;
    kept += letter;
  }
  return line;
}

/** In characters of plain English, of which about four make a token; of other scripts one letter is about one token. */
const costOf = (letter: string) => (letter.codePointAt(0)! < 0x250 ? 1 : 4);

function fitted(markdown: string): string {
  if (markdown.length <= primeLengthMax) return `${markdown}\n`;
  const end = '\n… cut here: `switchyard status` and `switchyard ready` have the rest.\n';
  return markdown.slice(0, markdown.lastIndexOf('\n', primeLengthMax - end.length)) + end;
}
