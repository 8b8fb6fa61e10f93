import type { Conflict } from '@switchyard/shared/item';
import type { KnownClaim } from './claims.ts';

/** Something that happened between two calls; it comes with the answer to the next one. */
export interface Notice {
  kind: 'cancelled' | 'lost' | 'held' | 'conflict' | 'conflict_resolved';
  item_id: string;
  project_id: string;
  number: number;
  attempt: number;
  message: string;
  /** Of a conflict: the other side. */
  conflict?: Conflict;
}

type About = Omit<KnownClaim, 'held'>;
const noticesMax = 50;

function notice(kind: Notice['kind'], about: About, message: string): Notice {
  const { item_id, project_id, number, attempt } = about;
  return { kind, item_id, project_id, number, attempt, message: `#${number}${message}` };
}

export const cancelledNotice = (about: About, reason: string | null): Notice =>
  notice(
    'cancelled',
    about,
    ` was cancelled${reason && reason !== 'cancelled' ? ` (${reason})` : ''}: stop work on it.`,
  );

export const lostNotice = (about: About): Notice =>
  notice('lost', about, ' is not yours any more, its lease ended: stop work on it, or claim it again.');

export const heldNotice = (about: About): Notice =>
  notice('held', about, ` is still claimed by you (attempt ${about.attempt}): go on with it, or release it.`);

export function conflictNotice(about: About, conflict: Conflict): Notice {
  const being = conflict.kind === 'modified' ? 'being changed' : 'planned to be changed';
  const { plural, files } = filesIn(conflict);
  const text = `: ${files} ${plural ? 'are' : 'is'} now also ${being} by ${otherOf(conflict)}.`;
  return { ...notice('conflict', about, text), conflict };
}

export function resolvedNotice(about: About, conflict: Conflict): Notice {
  const text = `: ${filesIn(conflict).files} no longer shared with ${otherOf(conflict)}.`;
  return { ...notice('conflict_resolved', about, text), conflict };
}

export const otherOf = ({ agent_id, number, title }: Conflict) => `${agent_id} (#${number} ${title})`;

export function filesIn({ conflicting_files: all }: Conflict): { files: string; plural: boolean } {
  const shown = all.slice(0, 5).join(', ');
  return { files: all.length > 5 ? `${shown} and ${all.length - 5} more` : shown, plural: all.length > 1 };
}

/** The notices that one MCP session has not been given yet. */
export class Notices {
  #waiting: Notice[] = [];

  add(one: Notice): void {
    const wasWaiting = this.#drop(one.item_id, (other) => isSame(one, other));
    // It began and ended unseen.
    if (one.kind === 'conflict_resolved' && wasWaiting) return;
    this.#waiting.push(one);
    if (this.#waiting.length > noticesMax) this.#shed();
  }

  /** An answer shows the conflicts of this item as they stand, so that nothing need be said of how they came. */
  dropConflicts(itemId: string): void {
    this.#drop(itemId, ({ conflict }) => conflict !== undefined);
  }

  take(): Notice[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  putBack(notices: readonly Notice[]): void {
    this.#waiting.unshift(...notices);
  }

  #drop(itemId: string, fits: (one: Notice) => boolean): boolean {
    const before = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one.item_id !== itemId || !fits(one));
    return this.#waiting.length < before;
  }

  /** Conflicts go first: `report_files` tells them again, while nothing else tells of a cancel. */
  #shed(): void {
    const place = this.#waiting.findIndex(({ conflict }) => conflict !== undefined);
    this.#waiting.splice(Math.max(0, place), 1);
  }
}

/** Of a conflict, the pair; of anything else, what happened to the claim. */
const isSame = (one: Notice, other: Notice) =>
  one.conflict
    ? one.conflict.work_item_id === other.conflict?.work_item_id
    : one.kind === other.kind && one.attempt === other.attempt;
