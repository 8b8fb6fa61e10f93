import type { Item } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import type { ProjectLive } from '#lib/live/project.svelte.ts';

export interface Blockers {
  /** Most first. */
  items: { item: Item; blocks: number }[];
  /** How many blocked items there are, and how many of them were looked at: the most urgent. */
  blocked: number;
  lookedAt: number;
}

const shownMax = 12;

/** The open items that hold back most, by what blocked items say they wait for. */
export async function findBlockers(live: ProjectLive): Promise<Blockers> {
  const { items, total } = await live.call('item.list', {
    project: live.ref,
    status: ['todo'],
    ready: false,
    sort: 'priority',
    limit: limits.listMax,
  });
  const counts = new Map<string, number>();
  for (const item of items) for (const id of item.blocked_by) counts.set(id, (counts.get(id) ?? 0) + 1);
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, shownMax);
  const known = new Map(items.map((item) => [item.id, item]));
  const found = await Promise.all(
    most.map(async ([id, blocks]) => {
      const item = live.store.get(id) ?? known.get(id) ?? (await live.call('item.get', { id })).item;
      return { item, blocks };
    }),
  );
  return { items: found, blocked: total, lookedAt: items.length };
}
