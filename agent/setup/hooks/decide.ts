// What each hook finds out at the hub, and what comes of it.
import { Refusal } from '@switchyard/shared/errors';
import type { Conflict, Item } from '@switchyard/shared/item';
import { isGlob } from '@switchyard/shared/paths';
import type { Call } from '../../call.ts';
import { silent, type Outcome } from './answer.ts';
import type { HookEvent } from './input.ts';
import { holdText, lostText, refusalText, warningText } from './wording.ts';

export interface Situation {
  readonly call: Call;
  readonly project: string;
  readonly agentId: string;
  /** Paths of the project that are, or were, edited. */
  readonly files: readonly string[];
  /** The item that `switchyard run` started the client for; it sees to its end. */
  readonly givenItem: ClaimedItem | undefined;
  readonly mayStop: boolean;
  /** Whether warnings reach the model before an edit; where not, they come after it. */
  readonly hearsBeforeEdits: boolean;
  /** What an agent needs to know at the start. */
  readonly prime: () => Promise<string>;
}

export interface ClaimedItem {
  readonly id: string;
  readonly attempt: number;
}

/** Throws what the hub throws. */
export function decide(event: HookEvent, situation: Situation): Promise<Outcome> {
  return decisions[event](situation);
}

const decisions: Record<HookEvent, (situation: Situation) => Promise<Outcome>> = {
  async 'session-start'({ prime }) {
    return { kind: 'context', text: await prime() };
  },

  async 'pre-edit'(situation) {
    const { call, project, files } = situation;
    const conflicts = await conflictsOf(situation);
    if (conflicts.length === 0) return silent;
    const [mine, answer] = await Promise.all([itemInHand(situation), call('project.get', { project })]);
    const policy = mine?.conflict_policy ?? answer.project.conflict_policy;
    const stronger = conflicts.filter((conflict) => !cameFirst(mine, conflict));
    if (policy === 'deny' && stronger.length > 0) return { kind: 'deny', text: refusalText(files, stronger) };
    return { kind: 'context', text: warningText(conflicts) };
  },

  async 'post-edit'(situation) {
    const { call, agentId, hearsBeforeEdits } = situation;
    const item = await itemInHand(situation);
    // A name that would be read as a pattern cannot be reported.
    const files = situation.files.filter((file) => !isGlob(file));
    if (item && files.length > 0) {
      const { id, attempt } = item;
      try {
        await call('item.report_files', { id, attempt, agent_id: agentId, files });
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== 'CLAIM_LOST') throw error;
        return { kind: 'context', text: lostText(item) };
      }
    }
    if (hearsBeforeEdits) return silent;
    const conflicts = await conflictsOf(situation);
    return conflicts.length === 0 ? silent : { kind: 'context', text: warningText(conflicts) };
  },

  async stop(situation) {
    if (situation.mayStop || situation.givenItem) return silent;
    const held = await heldItems(situation);
    return held.length === 0
      ? silent
      : { kind: 'hold', text: holdText(held, situation.project, situation.agentId) };
  },
};

async function conflictsOf({ call, project, agentId, files }: Situation): Promise<Conflict[]> {
  const { conflicts } = await call('item.check_files', { project, agent_id: agentId, files: [...files] });
  return conflicts;
}

/** What the client works on: the item it was started for, or the one that its agent claimed last. */
async function itemInHand(situation: Situation): Promise<Item | undefined> {
  const { call, givenItem } = situation;
  if (!givenItem) return (await heldItems(situation))[0];
  const { item } = await call('item.get', { id: givenItem.id });
  return item.status === 'claimed' && item.attempt === givenItem.attempt ? item : undefined;
}

/** What the agent holds, the newest claim first. */
async function heldItems({ call, project, agentId }: Situation): Promise<Item[]> {
  const { items } = await call('item.list', { project, status: ['claimed'], agent: agentId });
  return items.sort((a, b) => (b.assigned_at ?? '').localeCompare(a.assigned_at ?? ''));
}

/**
 * Whether the agent had the file before the other came: then the other one yields, for if both were refused, nobody
 * could finish. Globs are left to the hub, which lets no second claim on them in.
 */
function cameFirst(mine: Item | undefined, { conflicting_files, since }: Conflict): boolean {
  if (!mine?.assigned_at || mine.assigned_at >= since) return false;
  const own = [...mine.files_planned, ...mine.files_modified];
  return conflicting_files.every((file) =>
    own.some((one) => one === file || (one.endsWith('/') && file.startsWith(one))),
  );
}
