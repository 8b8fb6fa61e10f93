import type { Conflict } from '@switchyard/shared/item';

/** The conflicts of one claim as they stand: what answers said of all of them, and what was heard of each since. */
export class ConflictBook {
  #standing: Map<string, Conflict>;
  readonly #listeners: ((conflicts: readonly Conflict[]) => void)[] = [];
  /** What was heard while answers are under way: an answer may be older than what overtook it. */
  readonly #heard: (() => void)[] = [];
  #asking = 0;

  constructor(conflicts: readonly Conflict[]) {
    this.#standing = byItem(conflicts);
  }

  get all(): readonly Conflict[] {
    return [...this.#standing.values()];
  }

  listen(heard: (conflicts: readonly Conflict[]) => void): void {
    this.#listeners.push(heard);
    if (this.#standing.size > 0) heard(this.all);
  }

  hear(type: 'detected' | 'resolved', conflicts: readonly Conflict[]): void {
    const apply = () => {
      for (const conflict of conflicts) {
        if (type === 'detected') this.#standing.set(conflict.work_item_id, conflict);
        else this.#standing.delete(conflict.work_item_id);
      }
    };
    if (this.#asking > 0) this.#heard.push(apply);
    this.#change(apply);
  }

  /** Takes over what an answer says of all of them. */
  async ask(send: () => Promise<{ conflicts: readonly Conflict[] }>): Promise<readonly Conflict[]> {
    this.#asking += 1;
    try {
      const { conflicts } = await send();
      this.#change(() => {
        this.#standing = byItem(conflicts);
        for (const apply of this.#heard) apply();
      });
      return this.all;
    } finally {
      this.#asking -= 1;
      if (this.#asking === 0) this.#heard.length = 0;
    }
  }

  #change(change: () => void): void {
    const before = JSON.stringify(this.all);
    change();
    if (JSON.stringify(this.all) !== before) for (const heard of this.#listeners) heard(this.all);
  }
}

const byItem = (conflicts: readonly Conflict[]) =>
  new Map(conflicts.map((conflict) => [conflict.work_item_id, conflict]));
