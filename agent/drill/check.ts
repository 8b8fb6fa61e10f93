import { isDeepStrictEqual } from 'node:util';
import type { Event, EventType, Item, Status } from '@switchyard/shared/item';
import { fold, foldedFields, type Folded } from './fold.ts';

/** What must be true of every history, whatever went wrong on the way. */
export const rules = {
  gapless: 'the log has every seq once',
  transition: 'items go only ways that there are',
  owner: 'one owner at a time, and only the owner writes',
  attempt: 'attempts rise by one with every claim',
  order: 'nothing is claimed before what it waits for',
  early: 'no claim is put back before its lease has ended',
  conflict: 'conflicts are seen while they last, and end',
  fold: 'the log tells what the database holds',
  stuck: 'nothing that could be done is left',
  acknowledged: 'what was acknowledged is in the log',
  watched: 'a watcher sees the log as it is',
} as const;

export interface Violation {
  rule: keyof typeof rules;
  message: string;
  seq?: number;
}

const open: ReadonlySet<Status> = new Set(['todo', 'claimed', 'failed']);

/** From which states an event leads to which; what is not here changes no state. */
const ways: Partial<Record<EventType, { from: Status[]; to: Status }>> = {
  'item.claimed': { from: ['todo'], to: 'claimed' },
  'item.completed': { from: ['claimed'], to: 'done' },
  'item.failed': { from: ['claimed'], to: 'failed' },
  'item.released': { from: ['claimed'], to: 'todo' },
  'item.requeued': { from: ['claimed', 'failed'], to: 'todo' },
  'item.retried': { from: ['failed', 'cancelled'], to: 'todo' },
  'item.cancelled': { from: ['todo', 'claimed', 'failed'], to: 'cancelled' },
};

/** What only the holder of a claim can have said. */
const byHolder: ReadonlySet<EventType> = new Set([
  'item.progressed',
  'item.files_reported',
  'item.completed',
  'item.failed',
  'item.released',
]);

/**
 * Replays a whole log and compares where it leads with the items as they stand: every rule that is broken, and
 * where. Pure; the end of the log must be the end of the work.
 *
 *     const violations = checkHistory(events, items);
 */
export function checkHistory(events: readonly Event[], items: readonly Item[]): Violation[] {
  const history = new History();
  for (const event of events) history.read(event);
  history.end(items);
  return history.violations;
}

class History {
  readonly violations: Violation[] = [];
  readonly #items = new Map<string, Folded>();
  readonly #children = new Map<string, Set<string>>();
  readonly #claimed = new Set<string>();
  /** Pairs of items that a conflict was announced for, and not its end. */
  readonly #conflicts = new Map<string, [string, string]>();
  /** When the lease of a session that is away ends. */
  readonly #leaseEnds = new Map<string, string>();
  #seq = 0;

  read(event: Event): void {
    if (event.seq !== this.#seq + 1)
      this.#found('gapless', event, `${this.#seq} is followed by ${event.seq}`);
    this.#seq = event.seq;
    if (event.type.startsWith('agent.')) this.#readAgent(event);
    else if (event.type.startsWith('conflict.')) this.#readConflict(event);
    else if (event.item_id !== null) this.#readItem(event, event.item_id);
  }

  end(items: readonly Item[]): void {
    const known = new Map(items.map((item) => [item.id, item]));
    for (const item of items) this.#compare(item);
    for (const [id, { number }] of this.#items)
      if (!known.has(id)) this.#found('fold', null, `#${number} is in the log only`);
    for (const [a, b] of this.#conflicts.values())
      this.#found('conflict', null, `of ${this.#name(a)} and ${this.#name(b)} never ended`);
    for (const { id } of items)
      if (isStuck(id, known)) this.#found('stuck', null, `${this.#name(id)} is ${known.get(id)!.status}`);
  }

  #readItem(event: Event, id: string): void {
    const before = this.#items.get(id);
    if ((before === undefined) !== (event.type === 'item.created')) {
      this.#found(
        'transition',
        event,
        before ? `${this.#name(id)} is created twice` : `${id} was never created`,
      );
    }
    const after = fold(before, event);
    if (before) this.#checkStep(event, before, after);
    if (event.type === 'item.claimed') this.#checkOrder(event, after);
    if (before?.status === 'claimed' && after.status !== 'claimed') this.#checkUnseenConflicts(event, id);
    this.#keep(id, before, after);
  }

  #keep(id: string, before: Folded | undefined, after: Folded): void {
    this.#items.set(id, after);
    if (after.status === 'claimed') this.#claimed.add(id);
    else this.#claimed.delete(id);
    if (before?.parent_item_id === after.parent_item_id) return;
    if (before?.parent_item_id) this.#children.get(before.parent_item_id)?.delete(id);
    if (!after.parent_item_id) return;
    const siblings = this.#children.get(after.parent_item_id);
    if (siblings) siblings.add(id);
    else this.#children.set(after.parent_item_id, new Set([id]));
  }

  #checkStep(event: Event, before: Folded, after: Folded): void {
    const way = ways[event.type];
    const step = `${event.type} from ${before.status} to ${after.status}`;
    const legal = way
      ? way.from.includes(before.status) && after.status === way.to
      : before.status === after.status;
    if (!legal) this.#found('transition', event, step);
    if (event.type === 'item.cancel_acknowledged' && !before.stopping)
      this.#found('transition', event, `${step}, unasked`);
    if (event.type === 'item.claimed') {
      if (before.status === 'claimed') this.#found('owner', event, `taken from session ${before.session_id}`);
      if (after.attempt !== before.attempt + 1)
        this.#found('attempt', event, `${before.attempt}, then ${after.attempt}`);
      return;
    }
    if (after.attempt !== before.attempt) this.#found('attempt', event, `changed by ${event.type}`);
    const lapsed = event.data.reason === 'lease_expired';
    if (lapsed) this.#checkLease(event, before);
    else if (byHolder.has(event.type)) this.#checkHolder(event, before);
    if (event.type === 'item.requeued' && !lapsed && before.retry_at !== null && event.at < before.retry_at) {
      this.#found('early', event, `retried at ${event.at}, due at ${before.retry_at}`);
    }
  }

  #checkHolder(event: Event, { status, session_id, attempt, assigned_agent_id: agent }: Folded): void {
    const held = status === 'claimed' && event.session_id === session_id && event.attempt === attempt;
    if (held && event.actor === agent) return;
    const holder =
      status === 'claimed' ? `${agent}, session ${session_id}, attempt ${attempt}` : `nobody (${status})`;
    const writer = `${event.actor}, session ${event.session_id}, attempt ${event.attempt}`;
    this.#found('owner', event, `${event.type} by ${writer}; held by ${holder}`);
  }

  #checkLease(event: Event, { session_id }: Folded): void {
    const ends = this.#leaseEnds.get(session_id ?? '');
    if (ends !== undefined && event.at < ends)
      this.#found('early', event, `at ${event.at}, lease until ${ends}`);
  }

  #checkOrder(event: Event, after: Folded): void {
    for (const id of after.dependencies) {
      const status = this.#items.get(id)?.status;
      if (status !== 'done') this.#found('order', event, `depends on ${this.#name(id)}, which is ${status}`);
    }
    for (const id of this.#children.get(event.item_id!) ?? []) {
      const status = this.#items.get(id)!.status;
      if (open.has(status)) this.#found('order', event, `its child ${this.#name(id)} is ${status}`);
    }
  }

  #readAgent(event: Event): void {
    const { session_id: session, lease_expires_at: ends } = event.data;
    if (typeof session !== 'string') return;
    if (event.type === 'agent.connected') this.#leaseEnds.delete(session);
    else if (typeof ends === 'string') this.#leaseEnds.set(session, ends);
  }

  #readConflict(event: Event): void {
    const [a = '', b = ''] = (event.data.items as { work_item_id: string }[])
      .map((item) => item.work_item_id)
      .sort();
    const pair = pairOf(a, b);
    const both = `${this.#name(a)} and ${this.#name(b)}`;
    if (event.type === 'conflict.detected') {
      if (!this.#claimed.has(a) || !this.#claimed.has(b))
        this.#found('conflict', event, `${both} are not both claimed`);
      this.#conflicts.set(pair, [a, b]);
    } else if (!this.#conflicts.delete(pair)) {
      this.#found('conflict', event, `of ${both} ended without having begun`);
    }
  }

  /** Whoever shared a file with a claim until it ended must have been told. Folders and globs are left to the hub. */
  #checkUnseenConflicts(event: Event, id: string): void {
    const own = filesOf(this.#items.get(id)!);
    for (const other of this.#claimed) {
      if (other === id || this.#conflicts.has(pairOf(id, other))) continue;
      const shared = [...filesOf(this.#items.get(other)!)].filter((file) => own.has(file));
      if (shared.length > 0)
        this.#found('conflict', event, `with ${this.#name(other)} over ${shared.join(', ')} was never told`);
    }
  }

  #compare(item: Item): void {
    const told = this.#items.get(item.id);
    if (!told) return this.#found('fold', null, `#${item.number} is in the database only`);
    for (const field of foldedFields) {
      const [log, database] =
        field === 'blocked_by'
          ? [told[field].toSorted(), item[field].toSorted()]
          : [told[field], item[field]];
      if (isDeepStrictEqual(log, database)) continue;
      this.#found(
        'fold',
        null,
        `#${item.number} ${field}: ${brief(log)} by the log, ${brief(database)} in the database`,
      );
    }
  }

  #name(id: string): string {
    const item = this.#items.get(id);
    return item ? `#${item.number}` : id;
  }

  #found(rule: Violation['rule'], event: Event | null, message: string): void {
    const what = event?.item_id ? `${this.#name(event.item_id)} ` : '';
    this.violations.push({ rule, message: what + message, ...(event ? { seq: event.seq } : {}) });
  }
}

const pairOf = (a: string, b: string) => [a, b].sort().join(' ');
const filesOf = (item: Folded) => new Set([...item.files_planned, ...item.files_modified]);
const brief = (value: unknown) => (JSON.stringify(value) ?? 'nothing').slice(0, 120);

/** Could `id` still be done, or is it under way? Held back for good is what waits for something failed or cancelled. */
function isStuck(id: string, items: ReadonlyMap<string, Item>): boolean {
  const item = items.get(id);
  if (item?.status === 'failed') return item.retry_at !== null;
  return item?.status === 'claimed' || (item?.status === 'todo' && !isHeldForGood(item, items, new Set()));
}

function isHeldForGood(item: Item, items: ReadonlyMap<string, Item>, asked: Set<string>): boolean {
  if (asked.has(item.id)) return false;
  asked.add(item.id);
  return item.blocked_by.some((id) => {
    const blocker = items.get(id);
    if (blocker?.status === 'todo') return isHeldForGood(blocker, items, asked);
    return blocker?.status === 'cancelled' || (blocker?.status === 'failed' && blocker.retry_at === null);
  });
}
