import type { Item } from '@switchyard/shared/item';
import type { ProjectLive } from '#lib/live/project.svelte.ts';

/** Asked for one by one, each once: more at a time would not be read. */
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
  const asked = new Set<string>();
  $effect(() => {
    const current = live();
    if (!current.isLive) return;
    const unknown = ids().filter((id) => !current.store.get(id) && !asked.has(id));
    for (const id of unknown.slice(0, askedMax)) {
      asked.add(id);
      current
        .call('item.get', { id })
        .then(({ item }) => current.learn(item))
        .catch(() => {}) // It stays unknown, and is shown as that.
        .finally(() => asked.delete(id));
    }
  });
  return (id) => live().item(id);
}
