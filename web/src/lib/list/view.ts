// What the list shows, as it stands in the address: the board's filters, statuses and the order.
import type { Status } from '@switchyard/shared/item';
import { readFilter, type Parameters } from '#lib/board/filters.ts';
import type { Filter, Sort } from '#lib/live/matching.ts';
import { defaultSort, sortNames } from './columns.ts';

const statuses: readonly Status[] = ['todo', 'claimed', 'failed', 'done', 'cancelled'];

/** What does not fit is left out: an address may have been written by hand. */
export function readListFilter(parameters: Parameters): Filter {
  const filter = readFilter(parameters);
  const named = parameters.get('status')?.split(',') ?? [];
  const status = statuses.filter((one) => named.includes(one));
  if (status.length > 0) filter.status = status;
  const ready = parameters.get('ready');
  if (ready === 'true' || ready === 'false') filter.ready = ready === 'true';
  return filter;
}

export function readSort(parameters: Parameters): Sort {
  const sort = parameters.get('sort') ?? '';
  return Object.hasOwn(sortNames, sort.replace(/^-/, '')) ? (sort as Sort) : defaultSort;
}

/** A choice above the list. */
export interface Chip {
  label: string;
  filter: Filter;
  on: boolean;
  /** What to put into the address. */
  parameters: Record<string, string | null>;
}

/** Statuses add up; ready and blocked are parts of todo, and stand alone. */
export function chipsOf({ status = [], ready }: Filter): Chip[] {
  const parts = ready !== undefined;
  const one = (of: Status, label: string): Chip => {
    const on = !parts && status.includes(of);
    const chosen = parts ? [of] : statuses.filter((each) => (each === of ? !on : status.includes(each)));
    return { label, filter: { status: [of] }, on, parameters: choice(chosen.join(',')) };
  };
  const part = (of: boolean, label: string): Chip => {
    const on = ready === of;
    const filter: Filter = { status: ['todo'], ready: of };
    return { label, filter, on, parameters: on ? choice(null) : choice('todo', String(of)) };
  };
  return [
    { label: 'All', filter: {}, on: !parts && status.length === 0, parameters: choice(null) },
    one('todo', 'Todo'),
    part(true, 'Ready'),
    part(false, 'Blocked'),
    one('claimed', 'Claimed'),
    one('failed', 'Failed'),
    one('done', 'Done'),
    one('cancelled', 'Cancelled'),
  ];
}

const choice = (status: string | null, ready: string | null = null) => ({ status, ready });
