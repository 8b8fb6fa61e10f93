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
  /**
   * What is kept, in order. Found by looking at all items once, and from then on item by item: doing that anew for every
   * frame took 20 ms with 35,000 rows. Undefined: to be found anew.
   */
  #rows: Item[] | undefined;
  /** The rows were given away, so they are copied before they change. */
  #given = false;
  /** The window has been extended beyond this place, and what lies there is still to be found. */
  #foundTo: Place | undefined;
  /** It reaches less far than it did, and what lies beyond is still to be dropped. */
  #retreated = false;

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

  changed(before: Item | undefined, after: Item): void {
    if (before && this.#hasFound(before)) this.#own().splice(this.#placeOf(before), 1);
    if (this.#hasFound(after)) this.#own().splice(this.#placeOf(after), 0, after);
  }

  replaced(): void {
    this.#rows = undefined;
  }

  /**
   * The rows, in order; the same array as long as nothing changes. Gives up what lies far beyond what is looked at;
   * when it was trimmed, `store.reconsider` drops that.
   */
  select(items: Iterable<Item>): { rows: readonly Item[]; trimmed: boolean } {
    let rows = this.#find(items);
    const spare = rows.length - this.wanted;
    if (!this.#isWhole() && spare > (this.wanted > anewMax ? overgrown : slack)) {
      rows = this.#own();
      rows.length = this.wanted = Math.min(this.wanted, anewMax);
      this.#reachTo(rows.at(-1));
      this.cursor = undefined;
      this.#retreated = true;
    }
    const trimmed = this.#retreated;
    this.#retreated = false;
    this.#given = true;
    return { rows, trimmed };
  }

  /** A first window of the hub has come: all that there is of claimed and failed, `limit` of each other status. */
  seed(items: readonly Item[], limit: number): void {
    this.cursor = undefined;
    this.#rows = undefined;
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
    const before = this.bound;
    if (nextCursor === null) this.bound = 'all';
    else this.#reachTo(items.at(-1));
    // An answer from the beginning may end before what is here does.
    if (before !== 'none') this.#retreated ||= before === 'all' ? !this.complete : !this.#reaches(before);
    if (typeof before === 'object' && this.#reaches(before) && !this.#foundTo) this.#foundTo = before;
    else this.#rows = undefined;
  }

  #find(items: Iterable<Item>): Item[] {
    const from = this.#rows && this.#foundTo;
    this.#foundTo = undefined;
    if (this.#rows && !from) return this.#rows;
    const found: Item[] = [];
    for (const item of items)
      if (this.keeps(item) && !(from && this.#compare(item, from) <= 0)) found.push(item);
    found.sort(this.#compare);
    if (this.#rows) this.#own().push(...found);
    else this.#rows = found;
    return this.#rows;
  }

  /** Whether it is among the rows, or belongs there. */
  #hasFound(item: Item): boolean {
    if (!this.#rows || !this.keeps(item)) return false;
    return !this.#foundTo || this.#compare(item, this.#foundTo) <= 0;
  }

  /** The rows, to be changed. */
  #own(): Item[] {
    if (this.#given) this.#rows = [...(this.#rows ?? [])];
    this.#given = false;
    return (this.#rows ??= []);
  }

  #placeOf(item: Item): number {
    const rows = this.#rows ?? [];
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(rows[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
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

  #reaches(item: Place): boolean {
    if (this.bound === 'all') return true;
    return this.bound !== 'none' && this.#compare(item, this.bound) <= 0;
  }

  /** Of claimed and failed items the board has all, whatever the filter. */
  #isWhole(): boolean {
    const { status } = this.filter;
    return status !== undefined && status.every((one) => one === 'claimed' || one === 'failed');
  }
}
