import type { Sort } from '#lib/live/matching.ts';

type SortKey = Exclude<Sort, `-${string}`>;

interface ListColumn {
  id: string;
  label: string;
  /** What the hub can sort by. */
  sort?: SortKey;
  /** The first press sorts downwards: the latest, or the most, is what is looked for. */
  down?: boolean;
}

/** In the order in which they stand; which of them there is room for is the table's style. */
export const listColumns: readonly ListColumn[] = [
  { id: 'number', label: '#', sort: 'number', down: true },
  { id: 'title', label: 'Title', sort: 'title' },
  { id: 'status', label: 'Status', sort: 'status' },
  { id: 'priority', label: 'Prio', sort: 'priority' },
  { id: 'type', label: 'Type', sort: 'type' },
  { id: 'agent', label: 'Agent', sort: 'agent' },
  { id: 'progress', label: 'Progress', sort: 'progress', down: true },
  { id: 'waits', label: 'Held up by' },
  { id: 'updated', label: 'Changed', sort: 'updated', down: true },
  { id: 'ended', label: 'Ended', sort: 'completed', down: true },
];

/** Names for a menu, where there is no header to press. */
export const sortNames: Record<SortKey, string> = {
  number: 'Number',
  title: 'Title',
  status: 'Status',
  priority: 'Priority',
  type: 'Type',
  agent: 'Agent',
  progress: 'Progress',
  updated: 'Changed',
  completed: 'Ended',
};

export const defaultSort: Sort = '-number';

/** What a press on a column asks for: its own order, or the other way round. */
export function nextSort({ sort, down }: ListColumn, now: Sort): Sort {
  if (!sort) return now;
  if (now === sort) return `-${sort}`;
  if (now === `-${sort}`) return sort;
  return down ? `-${sort}` : sort;
}

export const directionOf = (sort: SortKey | undefined, now: Sort) =>
  sort === undefined ? undefined : now === sort ? 'ascending' : now === `-${sort}` ? 'descending' : 'none';
