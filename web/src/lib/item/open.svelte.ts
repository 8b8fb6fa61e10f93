import type { Item } from '@switchyard/shared/item';
import type { ProjectLive } from '#lib/live/project.svelte.ts';

export interface OpenItem {
  /** As it stands now; undefined until it is here, and when there is none. */
  readonly item: Item | undefined;
  readonly problem: string;
}

/** One item by its number, asked for where the board does not have it, and kept while the component lives. */
export function openItem(live: () => ProjectLive, number: () => number): OpenItem {
  let problem = $state('');
  const item = $derived(live().itemByNumber(number()));
  $effect(() => {
    const wanted = number();
    return live().store.addKeeper({ keeps: (one) => one.number === wanted });
  });
  $effect(() => {
    problem = '';
    const current = live();
    const wanted = number();
    if (!current.isLive || current.store.byNumber(wanted)) return;
    if (wanted === 0) return void (problem = 'There is no such item: items have the numbers 1, 2, 3 …');
    current
      .call('item.list', { project: current.ref, number: wanted, limit: 1 })
      .then(({ items: [found] }) => {
        if (found) current.learn(found);
        else problem = `There is no item #${wanted} in this project.`;
      })
      .catch((error: unknown) => (problem = error instanceof Error ? error.message : String(error)));
  });
  return {
    get item() {
      return item;
    },
    get problem() {
      return problem;
    },
  };
}
