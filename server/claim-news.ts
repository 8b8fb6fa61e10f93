// What a line of the log means for those whose claims it is about.
import type { Conflict } from '@switchyard/shared/item';
import type { LogRow } from './domain/journal.ts';

/** Whether a line ended a claim, and why; a retry that fell due or the cancel of what nobody held ends none. */
export function endOfClaim(row: LogRow): { reason: string } | null {
  if (row.type === 'item.completed' || row.type === 'item.released') return { reason: row.type };
  if (row.type !== 'item.failed' && row.type !== 'item.requeued' && row.type !== 'item.cancelled')
    return null;
  const { reason, stopping } = JSON.parse(row.data) as { reason?: string | null; stopping?: boolean };
  if (row.type === 'item.failed') return { reason: reason ?? 'failed' };
  if (row.type === 'item.requeued') return reason === 'lease_expired' ? { reason } : null;
  return stopping ? { reason: reason ?? 'cancelled' } : null;
}

/** One side of a conflict that began or ended: whose claim it concerns, and the other as seen from it. */
export interface Side {
  session_id: string;
  item_id: string;
  number: number;
  attempt: number;
  conflict: Conflict;
}

/** Both sides of a line of type `conflict.detected` or `conflict.resolved`. */
export function sidesOf(row: LogRow): Side[] {
  const pair = JSON.parse(row.data) as Omit<Conflict, 'work_item_id'> & {
    items: (Conflict & { session_id: string; attempt: number })[];
  };
  const { conflicting_files, kind, since } = pair;
  return [pair.items, [...pair.items].reverse()].flatMap(([own, other]) => {
    if (!own || !other) return [];
    const { work_item_id, number, title, agent_id } = other;
    const conflict = { work_item_id, number, title, agent_id, conflicting_files, kind, since };
    const { session_id, attempt } = own;
    return [{ session_id, item_id: own.work_item_id, number: own.number, attempt, conflict }];
  });
}
