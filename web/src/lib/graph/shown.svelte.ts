import type { Item } from '@switchyard/shared/item';
import { getContext, setContext } from 'svelte';
import type { Neighbourhood } from './neighbourhood.svelte.ts';
import { criticalPath, holds, type Link } from './structure.ts';

/** What the cards and the links look like at this moment; where they stand does not depend on it. */
export class Shown {
  readonly hood: Neighbourhood;
  /** Where the keyboard is. */
  cursor = $state.raw('');
  #open: () => number;
  #path = $derived.by(() => this.#pathNow());
  /** Kept as it was while nothing of it has changed, so that whoever reads it is not told. */
  #critical: ReadonlySet<string> = new Set();
  #links = $derived.by(() => this.#linksNow());

  constructor(hood: Neighbourhood, open: () => number) {
    this.hood = hood;
    this.#open = open;
  }

  /** The number of the item whose panel is open. */
  get open(): number {
    return this.#open();
  }

  get current(): string {
    const { drawn } = this.hood;
    return drawn?.copies.has(this.cursor) ? this.cursor : (drawn?.centre ?? '');
  }

  /** Items of the critical path. */
  get critical(): ReadonlySet<string> {
    return this.#path;
  }

  /** By link, as classes. */
  get links(): ReadonlyMap<string, string> {
    return this.#links;
  }

  #items(): Map<string, Item> {
    const { drawn } = this.hood;
    return new Map((drawn?.ids ?? []).map((id) => [id, this.hood.item(id)!]));
  }

  #pathNow(): ReadonlySet<string> {
    const path = criticalPath(this.#items(), this.hood.drawn?.links ?? []);
    const same = path.length === this.#critical.size && path.every((id) => this.#critical.has(id));
    if (!same) this.#critical = new Set(path);
    return this.#critical;
  }

  #linksNow(): ReadonlyMap<string, string> {
    const path = [...this.#path];
    const onPath = new Set(path.slice(1).map((id, at) => `${path[at]} ${id}`));
    const look = (link: Link) => {
      const [from, to] = [this.hood.item(link.from)!, this.hood.item(link.to)!];
      const state = holds(from, to) ? 'holds' : 'satisfied';
      return `${link.kind} ${state}${onPath.has(link.id) ? ' critical' : ''}`;
    };
    return new Map((this.hood.drawn?.links ?? []).map((link) => [link.id, look(link)]));
  }
}

const key = Symbol('graph');

export function provideShown(shown: Shown): void {
  setContext(key, shown);
}

export function useShown(): Shown {
  return getContext<Shown>(key);
}
