// What tests of claims and their log do again and again.
import type { Socket } from 'node:net';
import type { CommandInput } from '@switchyard/shared/commands';
import type { Event, Item } from '@switchyard/shared/item';
import { checkHistory } from '../../../agent/drill/check.ts';
import { readItems, readLog } from '../../../agent/drill/read-back.ts';
import { httpCaller } from '../../../agent/http.ts';
import { adminToken, call, type Client } from './hub.ts';

type Draft = Omit<Extract<CommandInput<'item.create'>, { title: string }>, 'project'>;

/** Creates one item over HTTP. */
export async function newItem(
  hub: { url: string },
  project: { id: string },
  draft: Partial<Draft> = {},
): Promise<Item> {
  const answer = await call(hub, 'item.create', { project: project.id, title: 'some work', ...draft });
  return (answer as { item: Item }).item;
}

/** Creates that many items at once, alike but for their titles. */
export async function newItems(
  hub: { url: string },
  project: { id: string },
  count: number,
  draft: Partial<Draft> = {},
): Promise<Item[]> {
  const items: Item[] = [];
  for (let from = 0; from < count; from += 500) {
    const drafts = Array.from({ length: Math.min(500, count - from) }, (_, n) => ({
      title: `item ${from + n + 1}`,
      ...draft,
    }));
    const answer = await call(hub, 'item.create', { project: project.id, items: drafts });
    items.push(...(answer as { items: Item[] }).items);
  }
  return items;
}

export async function getItem(hub: { url: string }, id: string): Promise<Item> {
  return (await call(hub, 'item.get', { id })).item;
}

/** Completes a claim with nothing to say about it. */
export function complete(agent: Client, { id }: { id: string }, attempt = 1) {
  return agent.call('item.complete', { id, attempt, result_summary: 'done', files_modified: [] });
}

const callerFor = (hub: { url: string }) => httpCaller({ url: hub.url, token: adminToken });

/** A project's whole log. */
export function logOf(hub: { url: string }, project: { id: string }): Promise<Event[]> {
  return readLog(callerFor(hub), project.id);
}

/** All items of a project as they stand. */
export function itemsOf(hub: { url: string }, project: { id: string }): Promise<Item[]> {
  return readItems(callerFor(hub), project.id);
}

/** Every rule that the log breaks, as text; those of `but` do not count. */
export async function violationsOf(
  hub: { url: string },
  project: { id: string },
  ...but: string[]
): Promise<string[]> {
  const [events, items] = [await logOf(hub, project), await itemsOf(hub, project)];
  return checkHistory(events, items)
    .filter(({ rule }) => !but.includes(rule))
    .map(({ rule, message, seq }) => `${rule}${seq === undefined ? '' : ` at ${seq}`}: ${message}`);
}

/** The events about one item, all or of some types. */
export async function eventsOf(
  hub: { url: string },
  item: { id: string },
  ...types: string[]
): Promise<Event[]> {
  const { events } = await call(hub, 'item.history', { id: item.id });
  return events.filter((event) => types.length === 0 || types.includes(event.type));
}

/** The TCP connection under a client: paused, it reads nothing any more. */
export const wireOf = (client: Client) =>
  (client.socket.io.engine.transport as unknown as { ws: { _socket: Socket } }).ws._socket;
