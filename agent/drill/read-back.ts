import { limits } from '@switchyard/shared/limits';
import type { Event, Item } from '@switchyard/shared/item';
import type { Call } from '../call.ts';

/** A project's whole log, a page at a time. */
export async function readLog(call: Call, project: string): Promise<Event[]> {
  const events: Event[] = [];
  for (;;) {
    const page = await call('project.events', {
      project,
      after: events.at(-1)?.seq ?? 0,
      limit: limits.eventsMax,
    });
    if (page.events.length === 0) return events;
    events.push(...page.events);
  }
}

/** All items of a project, a page at a time. */
export async function readItems(call: Call, project: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await call('item.list', { project, limit: limits.listMax, cursor });
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
