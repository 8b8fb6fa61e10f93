import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { wireOf, words, type FieldName, type Fields, type ItemPatch, type Problems } from './fields.ts';
import { idsOf, NoSuchItem } from './links.ts';

const linked = ['dependencies', 'parent_item_id'] as const;

/** Some fields as the hub takes them, or what is wrong with the items that they name. */
export async function patchOf(
  live: ProjectLive,
  fields: Fields,
  names: readonly FieldName[],
): Promise<{ patch: ItemPatch; problems?: never } | { problems: Problems; patch?: never }> {
  let idOf = (word: string) => word;
  for (const name of linked.filter((one) => names.includes(one))) {
    try {
      const before = idOf;
      const found = await idsOf(live, words(fields[name]));
      idOf = (word) => found(word) ?? before(word);
    } catch (error) {
      if (error instanceof NoSuchItem) return { problems: { [name]: error.message } };
      throw error;
    }
  }
  return { patch: Object.assign({}, ...names.map((name) => wireOf(name, fields, idOf))) as ItemPatch };
}
