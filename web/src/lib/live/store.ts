// What the board knows of items: a plain Map, the higher `version` wins, and nothing is kept that no one looks at.
import type { Item, Status } from '@switchyard/shared/item';

/** Somebody who needs items to stay: a window, a panel, a selection. */
export interface Keeper {
  keeps(item: Item): boolean;
  /** A copy has come, in place of an older one where there was one. */
  changed?(before: Item | undefined, after: Item): void;
  /** All that there was has gone. */
  replaced?(): void;
}

/** Of these the hub sends all, so all are kept. */
const keptWhole = new Set<Status>(['claimed', 'failed']);

/** How many that were dropped are remembered, so that an older copy which comes late does not bring them back. */
const droppedMax = 5_000;

export class ItemStore {
  readonly #items = new Map<string, Item>();
  readonly #dropped = new Map<string, number>();
  readonly #keepers = new Set<Keeper>();
  #touched = new Set<string>();
  #reads = 0;

  get size(): number {
    return this.#items.size;
  }

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  values(): IterableIterator<Item> {
    return this.#items.values();
  }

  byNumber(number: number): Item | undefined {
    for (const item of this.#items.values()) if (item.number === number) return item;
    return undefined;
  }

  /** Takes a copy unless a newer one is here. Returns whether it was news. */
  put(item: Item): boolean {
    const known = this.#items.get(item.id);
    if (known && known.version >= item.version) return false;
    if ((this.#dropped.get(item.id) ?? 0) > item.version) return false;
    this.#dropped.delete(item.id);
    this.#take(known, item);
    return true;
  }

  /** The same of a copy just asked for, which says anew whether the item is ready: that may change without a version. */
  putFresh(item: Item): boolean {
    const known = this.#items.get(item.id);
    if (known?.version !== item.version || known.ready === item.ready) return this.put(item);
    this.#take(known, item);
    return true;
  }

  #take(known: Item | undefined, item: Item): void {
    this.#items.set(item.id, item);
    this.#touched.add(item.id);
    for (const keeper of this.#keepers) keeper.changed?.(known, item);
  }

  /** Starts over: versions may be lower than before, when a database was put back from a backup. */
  replace(items: Iterable<Item>): void {
    this.#items.clear();
    this.#dropped.clear();
    for (const item of items) this.#items.set(item.id, item);
    for (const keeper of this.#keepers) keeper.replaced?.();
    this.reconsider();
  }

  addKeeper(keeper: Keeper): () => void {
    this.#keepers.add(keeper);
    return () => {
      this.#keepers.delete(keeper);
      this.reconsider();
    };
  }

  /**
   * While an answer is awaited nothing is dropped: what is beyond every window now may lie within it once the
   * answer is here, and an answer may be older than an event that overtook it.
   */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    this.#reads++;
    try {
      return await read();
    } finally {
      this.#reads--;
    }
  }

  /** All are looked at again by the next `sweep`: a window has become smaller. */
  reconsider(): void {
    for (const id of this.#items.keys()) this.#touched.add(id);
  }

  /** Drops what changed and what nobody keeps. */
  sweep(): void {
    if (this.#reads > 0) return;
    for (const id of this.#touched) {
      const item = this.#items.get(id);
      if (item && !this.#isKept(item)) this.#drop(item);
    }
    this.#touched.clear();
  }

  #drop({ id, version }: Item): void {
    this.#items.delete(id);
    this.#dropped.delete(id);
    this.#dropped.set(id, version);
    for (const oldest of this.#dropped.keys()) {
      if (this.#dropped.size <= droppedMax) break;
      this.#dropped.delete(oldest);
    }
  }

  #isKept(item: Item): boolean {
    if (keptWhole.has(item.status)) return true;
    for (const keeper of this.#keepers) if (keeper.keeps(item)) return true;
    return false;
  }
}
