import type { AgentInfo } from '@switchyard/shared/agent';
import type { ConflictPair, Item } from '@switchyard/shared/item';
import { shortPath } from '#lib/paths.ts';

/** Something that a person should look at. */
export interface Need {
  id: string;
  kind: 'conflict' | 'stale' | 'failed';
  text: string;
  /** The item to open; without one, the agent. */
  number?: number;
  agent?: string;
}

const filesShown = 1;

/** What needs a person now, the most urgent first. */
export function needs(
  conflicts: readonly ConflictPair[],
  agents: readonly AgentInfo[],
  items: Iterable<Item>,
): Need[] {
  const found: Need[] = conflicts.map((pair) => ofConflict(pair));
  // Several runs of one agent are one to look after.
  const stale = new Set(agents.filter(({ state }) => state === 'stale').map(({ agent_id }) => agent_id));
  for (const agent of stale)
    found.push({ id: `stale ${agent}`, kind: 'stale', text: `${agent} stale`, agent });
  const failed = [...items].filter((item) => item.status === 'failed' && item.retry_at === null);
  for (const item of failed.sort((a, b) => a.priority - b.priority || a.number - b.number))
    found.push({
      id: `failed ${item.id}`,
      kind: 'failed',
      text: `#${item.number} failed ${tries(item)}`,
      number: item.number,
    });
  return found;
}

/** "3 of 3": failures reported, of what is allowed. A claim lost too often fails without one. */
export function tries({ failure_count, max_attempts, lost_count }: Item): string {
  return failure_count === 0 && lost_count > 0
    ? `after ${lost_count} lost claims`
    : `${failure_count} of ${Math.max(failure_count, max_attempts)}`;
}

function ofConflict({ items, conflicting_files }: ConflictPair): Need {
  const [one, other] = items;
  const more = conflicting_files.length - filesShown;
  const files =
    conflicting_files.slice(0, filesShown).map(shortPath).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return {
    id: `conflict ${one?.work_item_id} ${other?.work_item_id}`,
    kind: 'conflict',
    text: `conflict in ${files} (#${one?.number} ↔ #${other?.number})`,
    number: one?.number,
  };
}
