import type { Item } from '@switchyard/shared/item';
import { HubError } from '#lib/api.ts';
import type { Filter, Sort } from './matching.ts';
import type { ProjectLive } from './project.svelte.ts';
import { Hold, type HoldReason } from './hold.ts';
import { ItemWindow, pageSize } from './window.ts';

/** Counting is asked for at most this often while things change, and less where it takes the hub long. */
const countAgainMs = 1_000;
const countCostShare = 0.1;

/**
 * A filtered, sorted list that stays live: a window of it is shown, and grows as it is scrolled through.
 * `rows` are replaced, never changed. Made by `ProjectLive.query`, ended by `close`.
 */
export class LiveQuery {
  rows = $state.raw<readonly Item[]>([]);
  /** How many there are in all; undefined until known. */
  total = $state.raw<number>();
  /** Rows that would come, go or move if nothing were held. */
  waiting = $state.raw(0);
  /** Nothing of it has come yet, or it was asked anew: what is shown is of the question before. */
  stale = $state.raw(true);
  problem = $state.raw('');
  readonly #live: ProjectLive;
  readonly #hold: Hold;
  #window: ItemWindow;
  #leave: () => void;
  #loading = false;
  #countTimer: ReturnType<typeof setTimeout> | undefined;
  #countTookMs = 0;
  #closed = false;

  constructor(live: ProjectLive, filter: Filter, sort: Sort) {
    this.#live = live;
    this.#window = new ItemWindow(filter, sort);
    this.#leave = live.store.addKeeper(this.#window);
    this.#hold = new Hold(() => this.refresh());
  }

  get filter(): Filter {
    return this.#window.filter;
  }

  /** Whether all that match are here. */
  get complete(): boolean {
    return this.#window.complete;
  }

  /** Asks for something else. The rows stay until the answer is here. */
  ask(filter: Filter, sort: Sort): void {
    if (sort === this.#window.sort && JSON.stringify(filter) === JSON.stringify(this.#window.filter)) return;
    this.#leave();
    this.#window = new ItemWindow(filter, sort);
    this.#leave = this.#live.store.addKeeper(this.#window);
    this.stale = true;
    this.total = undefined;
    this.#hold.drop();
    this.changed();
  }

  /** A first window of the hub has come. */
  seed(items: readonly Item[], limit: number): void {
    this.#window.seed(items, limit);
  }

  /** Something may have changed: shows it, and asks the hub where too little is known. */
  changed(): void {
    if (this.#closed || !this.#live.project) return;
    this.refresh();
    this.#count();
    if (!this.complete && this.#known < this.#window.wanted) void this.#load();
    else this.problem = '';
  }

  /** More rows are looked at: down to this one. */
  reach(index: number): void {
    const wanted = Math.ceil((index + 1) / pageSize + 0.5) * pageSize;
    if (wanted === this.#window.wanted) return;
    const more = wanted > this.#window.wanted;
    this.#window.wanted = wanted;
    if (more && !this.complete && this.#known < wanted) void this.#load();
  }

  /** From now on nothing moves for this reason; the same reason twice is one. */
  hold(reason: HoldReason): void {
    this.#hold.take(reason);
  }

  release(reason: HoldReason): void {
    this.#hold.release(reason);
  }

  /** Shows what waits. */
  apply(): void {
    this.#show(this.#select());
  }

  close(): void {
    this.#closed = true;
    this.#leave();
    this.#hold.drop();
    clearTimeout(this.#countTimer);
    this.#live.forget(this);
  }

  refresh(): void {
    if (this.#window.bound === 'none' || (this.#loading && this.stale)) return;
    const next = this.#select();
    const stay = this.#hold.active || this.#live.paused;
    // A window that was cut short by a new snapshot fills up first: what was scrolled to stays in place.
    const filling = !this.complete && next.length < Math.min(this.rows.length, this.#window.wanted);
    if (!this.stale && (stay || filling)) this.#stay(next);
    else this.#show(next);
  }

  /** How many rows of this question are here: none while those of the one before are shown. */
  get #known(): number {
    return this.stale ? 0 : this.rows.length;
  }

  #select(): readonly Item[] {
    const { rows, trimmed } = this.#window.select(this.#live.store.values());
    if (trimmed) this.#live.store.reconsider();
    return rows;
  }

  #show(next: readonly Item[]): void {
    this.stale = false;
    this.waiting = 0;
    this.rows = next;
    if (this.complete) this.total = next.length;
  }

  /** What is shown stays where it is, and shows what it has become. */
  #stay(next: readonly Item[]): void {
    let changed = false;
    const rows = this.rows.map((row) => {
      const now = this.#live.store.get(row.id) ?? row;
      changed ||= now !== row;
      return now;
    });
    if (changed) this.rows = rows;
    this.waiting = movesBetween(rows, next);
    if (this.complete) this.total = next.length;
  }

  /** A page has come: below the last row it moves nothing, even while rows are held. */
  #append(): void {
    if (this.stale) return;
    const shown = new Set(this.rows.map((row) => row.id));
    const next = this.#select();
    const below = next.slice(next.findLastIndex((item) => shown.has(item.id)) + 1);
    if (below.length > 0) this.rows = [...this.rows, ...below];
  }

  async #load(): Promise<void> {
    if (this.#loading || this.#closed || !this.#live.isLive) return;
    this.#loading = true;
    const window = this.#window;
    const epoch = this.#live.epoch;
    const { filter, sort } = window;
    try {
      const asked = window.nextPage(this.#known);
      const page = await this.#live.store.reading(async () => {
        const answer = await this.#live.call('item.list', {
          project: this.#live.ref,
          ...filter,
          sort,
          ...asked,
        });
        if (window === this.#window && epoch === this.#live.epoch) {
          for (const item of answer.items) this.#live.store.put(item);
          window.extend(answer.items, answer.next_cursor);
          this.#append();
        }
        return answer;
      });
      if (window === this.#window) this.total = page.total;
      this.problem = '';
    } catch (error) {
      this.problem = error instanceof HubError ? error.message : String(error);
    } finally {
      this.#loading = false;
    }
    if (!this.problem) this.changed();
  }

  /** The hub counts, unless all are here; the project's own counts are for whoever shows them. */
  #count(): void {
    if (this.complete || this.#countTimer !== undefined || this.#live.countsOf(this.filter) !== undefined)
      return;
    const wait = Math.max(countAgainMs, this.#countTookMs / countCostShare);
    this.#countTimer = setTimeout(() => void this.#countNow(), wait);
  }

  async #countNow(): Promise<void> {
    const { filter } = this.#window;
    const began = performance.now();
    try {
      const { total } = await this.#live.call('item.list', {
        project: this.#live.ref,
        ...filter,
        limit: 1,
      });
      if (filter === this.#window.filter) this.total = total;
    } catch {
      // The next change asks again.
    } finally {
      this.#countTookMs = performance.now() - began;
      this.#countTimer = undefined;
    }
  }
}

/** How many rows come, go, or change places. */
function movesBetween(shown: readonly Item[], next: readonly Item[]): number {
  const places = new Map(next.map((item, at) => [item.id, at]));
  let gone = 0;
  let moved = 0;
  let last = -1;
  for (const { id } of shown) {
    const at = places.get(id);
    if (at === undefined) gone++;
    else if (at < last) moved++;
    else last = at;
  }
  return gone + moved + Math.max(0, next.length - (shown.length - gone));
}
