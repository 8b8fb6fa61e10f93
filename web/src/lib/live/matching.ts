// The filters and orders of `item.list`, as the board applies them to what it hears between two questions.
import type { CommandInput } from '@switchyard/shared/commands';
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

export type Sort = NonNullable<CommandInput<'item.list'>['sort']>;

/** What places an item in an order. */
export type Place = Pick<
  Item,
  | 'number'
  | 'priority'
  | 'updated_at'
  | 'completed_at'
  | 'title'
  | 'status'
  | 'task_type'
  | 'assigned_agent_id'
  | 'progress'
>;

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

/** The hub's order; its own list would bring all the schemas along. */
const statuses: readonly Status[] = ['todo', 'claimed', 'done', 'failed', 'cancelled'];

const keys: Record<string, (a: Place, b: Place) => number> = {
  number: () => 0,
  priority: (a, b) => a.priority - b.priority,
  updated: (a, b) => compareText(a.updated_at, b.updated_at),
  completed: (a, b) => compareText(a.completed_at, b.completed_at),
  title: (a, b) => compareText(a.title, b.title),
  status: (a, b) => statuses.indexOf(a.status) - statuses.indexOf(b.status),
  type: (a, b) => compareText(a.task_type, b.task_type),
  agent: (a, b) => compareText(a.assigned_agent_id, b.assigned_agent_id),
  progress: (a, b) => (a.progress ?? -1) - (b.progress ?? -1),
};

function compareText(a: string | null, b: string | null): number {
  const [one, other] = [a ?? '', b ?? ''];
  return one < other ? -1 : one > other ? 1 : 0;
}

/** The hub's own order: by the key, then by number, both up or both down. */
export function comparator(sort: Sort): (a: Place, b: Place) => number {
  const compare = keys[sort.replace('-', '')] ?? (() => 0);
  const sign = sort.startsWith('-') ? -1 : 1;
  return (a, b) => sign * (compare(a, b) || a.number - b.number);
}
