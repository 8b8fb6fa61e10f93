// The filters and orders of `item.list`, as the board applies them to what it hears between two questions.
import type { Item, Status } from '@switchyard/shared/item';

/** As `item.list` takes it; also what stands in the address. */
export interface Filter {
  status?: Status[];
  ready?: boolean;
  task_type?: string[];
  agent?: string;
  priority?: number;
  parent?: string;
  q?: string;
}

export type Sort =
  'number' | '-number' | 'priority' | '-priority' | 'updated' | '-updated' | 'title' | '-title';

/** What places an item in an order. */
export type Place = Pick<Item, 'number' | 'priority' | 'updated_at' | 'title'>;

/** Whether the hub would list this item under the filter. */
export function matches(filter: Filter, item: Item): boolean {
  if (filter.status && !filter.status.includes(item.status)) return false;
  if (filter.ready !== undefined && item.ready !== filter.ready) return false;
  if (filter.task_type && !filter.task_type.includes(item.task_type ?? '')) return false;
  if (filter.agent !== undefined && item.assigned_agent_id !== filter.agent) return false;
  if (filter.priority !== undefined && item.priority !== filter.priority) return false;
  if (filter.parent === 'none' && item.parent_item_id !== null) return false;
  if (filter.parent !== undefined && filter.parent !== 'none' && item.parent_item_id !== filter.parent)
    return false;
  return filter.q === undefined || contains(item, filter.q);
}

/** `#31` is the item's number; anything else stands, word by word, in title or description. */
function contains(item: Item, q: string): boolean {
  const sought = q.trim().toLowerCase();
  const number = /^#?(\d{1,9})$/.exec(sought)?.[1];
  if (number !== undefined && item.number === Number(number)) return true;
  const text = `${item.title} ${item.description ?? ''}`.toLowerCase();
  return sought.split(/\s+/).every((word) => text.includes(word));
}

const keys: Record<string, (a: Place, b: Place) => number> = {
  number: () => 0,
  priority: (a, b) => a.priority - b.priority,
  updated: (a, b) => compareText(a.updated_at, b.updated_at),
  title: (a, b) => compareText(a.title, b.title),
};

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The hub's own order: by the key, then by number, both up or both down. */
export function comparator(sort: Sort): (a: Place, b: Place) => number {
  const compare = keys[sort.replace('-', '')] ?? (() => 0);
  const sign = sort.startsWith('-') ? -1 : 1;
  return (a, b) => sign * (compare(a, b) || a.number - b.number);
}
