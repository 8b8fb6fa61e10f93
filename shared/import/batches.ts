import { limits } from '../limits.ts';
import { byteLength } from './bytes.ts';
import { groupsOf } from './graph.ts';
import type { PlanItem } from './plan.ts';

/** What one `item.create` holds, with room for the envelope around the items. */
const batchMax = { items: limits.itemsPerCreate, bytes: limits.bulkMessageBytes - 32 * 1024 };

/** Bytes of any link on the wire: an id in quotes and a comma, which is longer than a ref. */
const linkBytes = 39;

/**
 * Cuts items into arrays that one `item.create` takes each, such that what an item names as parent or dependency
 * is in its own array or in an earlier one. Within an array they keep their order. Items that name one another
 * in a ring stay together, unless the ring is larger than a message: then some links lead forward.
 */
export function batchesOf(items: readonly PlanItem[]): PlanItem[][] {
  const place = new Map(items.map((item, n) => [item.key, n]));
  const named = new Map(items.map((item) => [item.key, linksOf(item).filter((key) => place.has(key))]));
  const blocks = groupsOf(place.keys(), named)
    .map((ring) => ring.map((key) => items[place.get(key)!]!))
    .flatMap((ring) => (fits(sizeOf(ring), batchMax) ? [ring] : ring.map((item) => [item])));

  const batches: PlanItem[][] = [];
  let room = { items: 0, bytes: 0 };
  for (const block of blocks) {
    const size = sizeOf(block);
    if (!fits(size, room)) {
      batches.push([]);
      room = batchMax;
    }
    batches.at(-1)!.push(...block);
    room = { items: room.items - size.items, bytes: room.bytes - size.bytes };
  }
  for (const batch of batches) batch.sort((a, b) => place.get(a.key)! - place.get(b.key)!);
  return batches;
}

/** The keys an item names: its parent and its dependencies. */
export function linksOf(item: PlanItem): string[] {
  return item.parentKey === null ? item.dependencyKeys : [item.parentKey, ...item.dependencyKeys];
}

interface Size {
  items: number;
  bytes: number;
}

function sizeOf(items: readonly PlanItem[]): Size {
  const bytes = items.reduce((sum, { parentKey, dependencyKeys, ...fields }) => {
    const links = dependencyKeys.length + (parentKey === null ? 0 : 1);
    return sum + byteLength(JSON.stringify(fields)) + links * linkBytes + 100;
  }, 0);
  return { items: items.length, bytes };
}

const fits = (size: Size, room: Size) => size.items <= room.items && size.bytes <= room.bytes;
