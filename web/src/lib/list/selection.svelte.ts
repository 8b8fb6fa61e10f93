import { SvelteSet } from 'svelte/reactivity';

interface Row {
  id: string;
}

/** Which rows are selected: some by name, or all that match, whether they are here or not. */
export class Selection {
  readonly ids = new SvelteSet<string>();
  all = $state(false);
  /** Where a range begins: the row that was last selected by itself. */
  #anchor: string | undefined;

  get empty(): boolean {
    return !this.all && this.ids.size === 0;
  }

  has(id: string): boolean {
    return this.all || this.ids.has(id);
  }

  clear(): void {
    this.ids.clear();
    this.all = false;
    this.#anchor = undefined;
  }

  selectAll(): void {
    this.clear();
    this.all = true;
  }

  /** Out of all that match one is taken: the others that are here stay selected. */
  toggle(id: string, rows: readonly Row[]): void {
    this.#name(rows);
    if (!this.ids.delete(id)) this.ids.add(id);
    this.#anchor = id;
  }

  /** All from the last one selected down, or up, to this one. */
  extend(id: string, rows: readonly Row[]): void {
    this.#name(rows);
    const to = rows.findIndex((row) => row.id === id);
    const from = rows.findIndex((row) => row.id === this.#anchor);
    if (to < 0) return;
    if (from < 0) this.#anchor = id;
    const [first, last] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
    for (const row of rows.slice(first, last + 1)) this.ids.add(row.id);
  }

  #name(rows: readonly Row[]): void {
    if (!this.all) return;
    this.all = false;
    for (const row of rows) this.ids.add(row.id);
  }
}
