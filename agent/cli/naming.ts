import { uuid } from '@switchyard/shared/item';
import { Misuse } from '../command.ts';

/** Reads how people name an item: `31` and `#31` are its number, anything else is its uuid. Throws `Misuse`. */
export function numberOrId(name: string): number | string {
  const number = Number(/^#?(\d{1,9})$/.exec(name)?.[1]);
  if (number > 0) return number;
  const id = uuid.safeParse(name);
  if (id.success) return id.data;
  throw new Misuse(`"${name}" names no item: use its number, as 31 or '#31', or its uuid.`);
}

/** Items are named in prose as people write them. */
export const nameOf = ({ number, title }: { number: number; title: string }) => `#${number} ${title}`;
