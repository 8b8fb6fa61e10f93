import type { CommandOutput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';

type Json = Record<string, unknown>;

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The number that people write: 12, "12", "#12"; undefined for anything else. */
export function numberIn(ref: unknown): number | undefined {
  const written = typeof ref === 'number' ? String(ref) : typeof ref === 'string' ? ref.trim() : '';
  const digits = /^#?([1-9]\d{0,8})$/.exec(written)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const isId = (ref: unknown): ref is string => typeof ref === 'string' && uuid.test(ref);

/** Answers with the items of these numbers, in their project. */
export type Lookup = (number: number) => Promise<CommandOutput<'item.list'>>;

const seeReady = 'ready_items lists what is ready.';
const useRef = 'To link items of one call, give the other a ref and name that.';

/** The id of the item that a call is about. The command would ask for a uuid, of which a model need not know. */
export async function requiredId(ref: unknown, lookup: Lookup): Promise<unknown> {
  const id = await idOf(ref, lookup, seeReady);
  if (isId(id)) return id;
  const message = 'names no item: give its number, as 12 or "#12", or its id';
  throw new Refusal('VALIDATION', `id ${message}. ${seeReady}`, { issues: [{ path: 'id', message }] });
}

/** The id of an item that is named by number or id; what is neither is left for the command to refuse. */
async function idOf(ref: unknown, lookup: Lookup, hint: string): Promise<unknown> {
  if (isId(ref)) return ref.toLowerCase();
  const number = numberIn(ref);
  if (number === undefined) return ref;
  const { items } = await lookup(number);
  if (items[0]) return items[0].id;
  throw new Refusal('NOT_FOUND', `There is no item #${number} in this project. ${hint}`, { number });
}

/** New items whose links name others by number: with their ids. A ref of the same call goes before a number. */
export async function withIds(items: unknown, lookup: Lookup): Promise<unknown> {
  if (!Array.isArray(items)) return items;
  const refs = new Set(items.map((item: Json | null) => item?.ref));
  const found = new Map<unknown, Promise<unknown>>();
  const link = (ref: unknown): Promise<unknown> => {
    if (refs.has(ref)) return Promise.resolve(ref);
    const known = found.get(ref) ?? idOf(ref, lookup, useRef);
    found.set(ref, known);
    return known;
  };
  return Promise.all(
    items.map(async (item: unknown) => {
      if (typeof item !== 'object' || item === null) return item;
      const { parent_item_id, dependencies } = item as Json;
      return {
        ...item,
        ...(parent_item_id !== undefined && { parent_item_id: await link(parent_item_id) }),
        ...(Array.isArray(dependencies) && { dependencies: await Promise.all(dependencies.map(link)) }),
      };
    }),
  );
}
