import { limits } from '@switchyard/shared/limits';
import type { Item } from '@switchyard/shared/item';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { linksAmong, linksOf, type Link } from './structure.ts';

/** How far the graph goes: steps each way, or all within the bound. */
export const depths = ['1', '2', '3', 'all'] as const;
export type Depth = (typeof depths)[number];

export const readDepth = (text: string | null): Depth => depths.find((one) => one === text) ?? '2';

/** What is drawn: it stays as it is, however its items change, until it is asked for again. */
export interface Drawn {
  centre: string;
  ids: readonly string[];
  links: readonly Link[];
  /** How many there are within the depth; null when too many to count. */
  total: number | null;
  /** By id, as they were when asked for. */
  copies: ReadonlyMap<string, Item>;
}

/**
 * What lies round an item, asked of the hub once for each centre and depth. Its items stay live; where links come or
 * go it is not redrawn under the pointer: `changes` counts the items, and `ask` draws again.
 */
export class Neighbourhood {
  drawn = $state.raw<Drawn>();
  problem = $state.raw('');
  changes = $state.raw(0);
  readonly #live: ProjectLive;
  readonly #changed = new Set<string>();
  #asked = '';
  #ends: (() => void)[];

  constructor(live: ProjectLive) {
    this.#live = live;
    this.#ends = [
      live.store.addKeeper({ keeps: (item) => this.drawn?.copies.has(item.id) ?? false }),
      live.onEvents((events) => this.#hear(events)),
    ];
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#ends = [];
  }

  /** An item of the graph as it stands now; read in a template it stays current. */
  item(id: string): Item | undefined {
    return this.#live.item(id) ?? this.drawn?.copies.get(id);
  }

  /** Draws what lies round the item of that number now. */
  async ask(number: number, depth: Depth): Promise<void> {
    const asked = `${number} ${depth}`;
    this.#asked = asked;
    this.problem = '';
    try {
      const next = await this.#read(number, depth);
      if (this.#asked !== asked || this.#ends.length === 0) return;
      if (next) this.#draw(next);
      else this.problem = `There is no item #${number} in this project.`;
    } catch (error) {
      if (this.#asked === asked) this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  /** After a gap in the log: what was drawn stays, unless links have come or gone meanwhile. */
  async compare(number: number, depth: Depth): Promise<void> {
    const asked = this.#asked;
    const next = await this.#read(number, depth).catch(() => undefined);
    const { drawn } = this;
    if (!next || !drawn || asked !== this.#asked) return;
    for (const item of next.copies.values()) {
      const before = drawn.copies.get(item.id);
      if (!before || linksOf(before) !== linksOf(item)) this.#changed.add(item.id);
      this.#live.learn(item);
    }
    for (const id of drawn.ids) if (!next.copies.has(id)) this.#changed.add(id);
    this.changes = this.#changed.size;
  }

  async #read(number: number, depth: Depth): Promise<Drawn | undefined> {
    const live = this.#live;
    let id = live.store.byNumber(number)?.id;
    if (id === undefined) {
      const { items } = await live.call('item.list', { project: live.ref, number, limit: 1 });
      id = items[0]?.id;
    }
    if (id === undefined) return undefined;
    const asked = { id, limit: limits.graphMax, ...(depth === 'all' ? {} : { depth: Number(depth) }) };
    const { items, total } = await live.store.reading(() => live.call('item.graph', asked));
    const copies = new Map(items.map((item) => [item.id, item]));
    return { centre: id, ids: [...copies.keys()], links: linksAmong(items), total, copies };
  }

  #draw(next: Drawn): void {
    this.#changed.clear();
    this.changes = 0;
    this.drawn = next;
    for (const item of next.copies.values()) this.#live.learn(item);
  }

  #hear(events: readonly ProjectEvent[]): void {
    const { drawn } = this;
    if (!drawn) return;
    for (const { type, item, data } of events) {
      if (!item) continue;
      const before = drawn.copies.get(item.id);
      const relinked = type === 'item.created' || 'dependencies' in data || 'parent_item_id' in data;
      if (before ? linksOf(before) !== linksOf(item) : relinked && touches(item, drawn))
        this.#changed.add(item.id);
    }
    this.changes = this.#changed.size;
  }
}

const touches = (item: Item, { copies }: Drawn) =>
  item.dependencies.some((id) => copies.has(id)) ||
  (item.parent_item_id !== null && copies.has(item.parent_item_id));
