// The board's filters as they stand in the address, so that a reload or a link comes back to the same view.
import type { Filter } from '#lib/live/matching.ts';

export type Parameters = Pick<URLSearchParams, 'get' | 'has'>;

/** Names of the parameters, in the order in which they are shown. */
export const filterNames = ['q', 'type', 'agent', 'priority', 'parent'] as const;

/** What does not fit is left out: an address may have been written by hand. */
export function readFilter(parameters: Parameters): Filter {
  const filter: Filter = {};
  const q = parameters.get('q')?.trim().slice(0, 200);
  if (q) filter.q = q;
  const types = parameters
    .get('type')
    ?.split(',')
    .filter((type) => /^[a-z0-9][a-z0-9._-]{0,49}$/.test(type));
  if (types && types.length > 0) filter.task_type = types;
  const agent = parameters.get('agent')?.trim();
  if (agent && agent.length <= 255) filter.agent = agent;
  const priority = parameters.get('priority');
  if (priority && /^[0-9]$/.test(priority)) filter.priority = Number(priority);
  const parent = parameters.get('parent');
  if (parent && /^(none|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(parent)) filter.parent = parent;
  return filter;
}

export const isFiltered = (filter: Filter) => Object.keys(filter).length > 0;

/** Columns that are folded away unless the address says otherwise. */
const folded = new Set(['done', 'cancelled']);

/** `show=done` opens what is folded by itself, `hide=todo` folds the others. */
export function isOpen(column: string, parameters: Parameters): boolean {
  const name = folded.has(column) ? 'show' : 'hide';
  const named = parameters.get(name)?.split(',').includes(column) ?? false;
  return folded.has(column) ? named : !named;
}

export function toggleOpen(column: string, parameters: Parameters): Record<string, string | null> {
  const name = folded.has(column) ? 'show' : 'hide';
  const named = parameters.get(name)?.split(',').filter(Boolean) ?? [];
  const next = named.includes(column) ? named.filter((one) => one !== column) : [...named, column];
  return { [name]: next.length > 0 ? next.join(',') : null };
}
