import type { ProjectLive } from '#lib/live/project.svelte.ts';

/** Asked for at once, at most. */
const atOnce = 20;

/** Something typed as an item's number that is none. */
export class NoSuchItem extends Error {}

/** The ids of the items that were typed as "#12" or "12", asked for where the board does not know them. */
export async function idsOf(live: ProjectLive, typed: readonly string[]): Promise<(word: string) => string> {
  const ids = new Map<string, string>();
  await inTurns([...new Set(typed)], async (word) => {
    const number = Number(/^#?(\d{1,9})$/.exec(word)?.[1]);
    if (!number) throw new NoSuchItem(`"${word}" is no number of an item: write #12.`);
    const known = live.store.byNumber(number);
    const [item] = known
      ? [known]
      : (await live.call('item.list', { project: live.ref, number, limit: 1 })).items;
    if (!item) throw new NoSuchItem(`There is no item #${number} in this project.`);
    ids.set(word, item.id);
  });
  return (word) => ids.get(word)!;
}

/** The numbers of items by id; of what is not there any more, none. */
export async function numbersOf(live: ProjectLive, ids: readonly string[]): Promise<Map<string, number>> {
  const numbers = new Map<string, number>();
  await inTurns(ids, async (id) => {
    const item = live.store.get(id) ?? (await live.call('item.get', { id })).item;
    numbers.set(id, item.number);
  });
  return numbers;
}

async function inTurns<T>(all: readonly T[], each: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += atOnce)
    await Promise.all(all.slice(from, from + atOnce).map(each));
}
