import type { Item } from '@switchyard/shared/item';
import type { ProjectLive } from '#lib/live/project.svelte.ts';

/** Asked for one by one: more would not be read. */
const askedMax = 60;

/**
 * Items that another names, by id, as they stand now; what the board does not have is asked for, and kept while the
 * component lives. Undefined until it is here.
 */
export function related(
  live: () => ProjectLive,
  ids: () => readonly string[],
): (id: string) => Item | undefined {
  $effect(() => {
    const wanted = new Set(ids());
    return live().store.addKeeper({ keeps: (item) => wanted.has(item.id) });
  });
  $effect(() => {
    const current = live();
    if (!current.isLive) return;
    for (const id of ids().slice(0, askedMax))
      if (!current.store.get(id))
        current.call('item.get', { id }).then(
          ({ item }) => current.learn(item),
          () => {}, // It stays unknown, and is shown as that.
        );
  });
  return (id) => live().item(id);
}
