// File conflicts as they stand: those of the snapshot, then one line of the log for each that begins, grows or ends.
import type { ConflictPair } from '@switchyard/shared/item';
import type { ProjectEvent } from '@switchyard/shared/protocol';

export class Conflicts {
  readonly #pairs = new Map<string, ConflictPair>();

  replace(pairs: readonly ConflictPair[]): void {
    this.#pairs.clear();
    for (const pair of pairs) this.#set(pair);
  }

  /** Returns whether anything changed. */
  apply(event: ProjectEvent): boolean {
    if (event.type !== 'conflict.detected' && event.type !== 'conflict.resolved') return false;
    const pair = event.data as ConflictPair;
    if (event.type === 'conflict.resolved') return this.#pairs.delete(keyOf(pair));
    this.#set(pair);
    return true;
  }

  #set(pair: ConflictPair): void {
    // The log names the one that changed first; here a pair reads the same whichever it was.
    this.#pairs.set(keyOf(pair), { ...pair, items: pair.items.toSorted((a, b) => a.number - b.number) });
  }

  list(): ConflictPair[] {
    return [...this.#pairs.values()].sort((a, b) => (a.since < b.since ? -1 : 1));
  }

  /** By item: the pairs it is part of. */
  byItem(): Map<string, ConflictPair[]> {
    const found = new Map<string, ConflictPair[]>();
    for (const pair of this.#pairs.values())
      for (const { work_item_id } of pair.items)
        found.set(work_item_id, [...(found.get(work_item_id) ?? []), pair]);
    return found;
  }
}

const keyOf = ({ items }: ConflictPair) =>
  items
    .map((item) => item.work_item_id)
    .sort()
    .join();
