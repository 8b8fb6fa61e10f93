// What the graph is made of: items, and links from what comes first to what waits for it. Pure, so that it runs anywhere.
import type { Item } from '@switchyard/shared/item';

export interface Link {
  id: string;
  /** Comes first: a dependency, or a child. */
  from: string;
  /** Waits for it. */
  to: string;
  kind: 'dependency' | 'child';
}

const isOver = ({ status }: Item) => status === 'done' || status === 'cancelled';

/** The links among these items; an item that is both child and dependency is linked once. */
export function linksAmong(items: readonly Item[]): Link[] {
  const ids = new Set(items.map((item) => item.id));
  const links = new Map<string, Link>();
  const add = (from: string, to: string, kind: Link['kind']) => {
    const id = `${from} ${to}`;
    if (ids.has(from) && ids.has(to) && !links.has(id)) links.set(id, { id, from, to, kind });
  };
  for (const item of items) {
    for (const id of item.dependencies) add(id, item.id, 'dependency');
    if (item.parent_item_id) add(item.id, item.parent_item_id, 'child');
  }
  return [...links.values()];
}

/** Whether `to` is still held back by `from`. */
export const holds = (from: Item, to: Item) =>
  from.status !== 'done' && !isOver(to) && to.blocked_by.includes(from.id);

/** Changes of these make another graph; anything else only another look. */
export const linksOf = (item: Item) => `${item.parent_item_id ?? ''} ${item.dependencies.join()}`;

/** Links of one item, either way, by the id of the item. */
export function neighboursOf(links: readonly Link[]) {
  const before = new Map<string, string[]>();
  const after = new Map<string, string[]>();
  const push = (map: Map<string, string[]>, key: string, value: string) => {
    const list = map.get(key);
    if (list) list.push(value);
    else map.set(key, [value]);
  };
  for (const { from, to } of links) {
    push(before, to, from);
    push(after, from, to);
  }
  return { before, after };
}

export interface Step {
  id: string;
  /** How many links away from the centre. */
  distance: number;
}

/** All that is reached from `centre` one way, nearest first, without the centre. */
export function stepsFrom(centre: string, next: ReadonlyMap<string, readonly string[]>): Step[] {
  const steps: Step[] = [];
  const seen = new Set([centre]);
  let frontier = [centre];
  for (let distance = 1; frontier.length > 0; distance++) {
    const reached = frontier.flatMap((id) => next.get(id) ?? []);
    frontier = [];
    for (const id of reached) {
      if (seen.has(id)) continue;
      seen.add(id);
      frontier.push(id);
      steps.push({ id, distance });
    }
  }
  return steps;
}

/**
 * The longest chain of open work, as ids in their order: what it holds cannot be shortened by more agents. Weighed by
 * `estimated_hours`, 1 where there is none, as progress is; a chain of one is none.
 */
export function criticalPath(items: ReadonlyMap<string, Item>, links: readonly Link[]): string[] {
  const open = links.filter(({ from, to }) => {
    const [first, second] = [items.get(from), items.get(to)];
    return first && second && !isOver(first) && holds(first, second);
  });
  const { before, after } = neighboursOf(open);
  const waiting = new Map([...after.keys(), ...before.keys()].map((id) => [id, before.get(id)?.length ?? 0]));
  const best = new Map<string, { hours: number; via: string | undefined }>();
  const ready = [...waiting].filter(([, count]) => count === 0).map(([id]) => id);
  let end: string | undefined;
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    let longest: { hours: number; via: string | undefined } = { hours: 0, via: undefined };
    for (const from of before.get(id) ?? []) {
      const { hours } = best.get(from)!;
      if (longest.via === undefined || hours > longest.hours) longest = { hours, via: from };
    }
    const hours = longest.hours + (items.get(id)!.estimated_hours ?? 1);
    best.set(id, { hours, via: longest.via });
    if (end === undefined || hours > best.get(end)!.hours) end = id;
    for (const to of after.get(id) ?? []) {
      waiting.set(to, waiting.get(to)! - 1);
      if (waiting.get(to) === 0) ready.push(to);
    }
  }
  const path: string[] = [];
  for (let id = end; id !== undefined; id = best.get(id)?.via) path.unshift(id);
  return path.length > 1 ? path : [];
}
