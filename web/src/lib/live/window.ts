// A stretch of a filtered, sorted list, from its beginning to a bound. Up to the bound it is complete: pages bring what
// was there, events what changed since.
import type { Item } from '@switchyard/shared/item';
import { comparator, matches, type Filter, type Place, type Sort } from './matching.ts';
import type { Keeper } from './store.ts';

/** How far a window reaches: nothing is known, up to a place, or all there is. */
export type Bound = 'none' | 'all' | Place;

export const pageSize = 100;
/** How far a window may outgrow what is looked at before its end is given up again. */
const slack = 100;
/** One question without a cursor reaches this far; a window beyond it is cut back only when it has grown much. */
const anewMax = 400;
const overgrown = 2_000;

export class ItemWindow implements Keeper {
  readonly filter: Filter;
  readonly sort: Sort;
  /** How many rows are looked at; scrolling raises it. */
  wanted = pageSize;
  bound: Bound;
  cursor: string | undefined;
  readonly #compare: (a: Place, b: Place) => number;

  constructor(filter: Filter, sort: Sort) {
    this.filter = filter;
    this.sort = sort;
    this.#compare = comparator(sort);
    this.bound = this.#isWhole() ? 'all' : 'none';
  }

  keeps(item: Item): boolean {
    return this.#reaches(item) && matches(this.filter, item);
  }

  get complete(): boolean {
    return this.bound === 'all';
  }

  /** The rows, in order. Gives up what lies far beyond what is looked at; `store.reconsider` drops it. */
  select(items: Iterable<Item>): { rows: Item[]; trimmed: boolean } {
    const rows: Item[] = [];
    for (const item of items) if (this.keeps(item)) rows.push(item);
    rows.sort(this.#compare);
    const spare = rows.length - this.wanted;
    const trimmed = !this.#isWhole() && spare > (this.wanted > anewMax ? overgrown : slack);
    if (trimmed) {
      rows.length = this.wanted = Math.min(this.wanted, anewMax);
      this.#reachTo(rows.at(-1));
      this.cursor = undefined;
    }
    return { rows, trimmed };
  }

  /** A first window of the hub has come: all that there is of claimed and failed, `limit` of each other status. */
  seed(items: readonly Item[], limit: number): void {
    this.cursor = undefined;
    if (this.#isWhole()) return;
    this.bound = 'none';
    const [status, ...more] = this.filter.status ?? [];
    const sortOfWindow = status === 'todo' ? 'priority' : '-completed';
    if (!status || more.length > 0 || this.sort !== sortOfWindow) return;
    const sent = items.filter((item) => item.status === status).sort(this.#compare);
    if (sent.length < limit) this.bound = 'all';
    else this.#reachTo(sent.at(-1));
  }

  /** What to ask the hub for next. Without a cursor the answer begins at the beginning. */
  nextPage(known: number): { limit: number; cursor?: string } {
    if (this.cursor !== undefined) return { limit: 2 * pageSize, cursor: this.cursor };
    return { limit: Math.min(500, known + pageSize) };
  }

  /** A page has come; it began at the cursor, or at the beginning. */
  extend(items: readonly Item[], nextCursor: string | null): void {
    this.cursor = nextCursor ?? undefined;
    if (nextCursor === null) this.bound = 'all';
    else this.#reachTo(items.at(-1));
  }

  #reachTo(item: Item | undefined): void {
    if (!item) return;
    // Not the item itself: it may hold a long text.
    const { number, priority, updated_at, completed_at, title, status, task_type, progress } = item;
    const { assigned_agent_id } = item;
    this.bound = {
      number,
      priority,
      updated_at,
      completed_at,
      title,
      status,
      task_type,
      progress,
      assigned_agent_id,
    };
  }

  #reaches(item: Item): boolean {
    if (this.bound === 'all') return true;
    return this.bound !== 'none' && this.#compare(item, this.bound) <= 0;
  }

  /** Of claimed and failed items the board has all, whatever the filter. */
  #isWhole(): boolean {
    const { status } = this.filter;
    return status !== undefined && status.every((one) => one === 'claimed' || one === 'failed');
  }
}
