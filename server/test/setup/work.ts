// What tests of commands say over and over: make an item, bring it to a status, claim and finish it over HTTP.
import { expect } from 'vitest';
import type { CommandInput } from '@switchyard/shared/commands';
import type { WireError } from '@switchyard/shared/errors';
import type { Event, EventType, Item } from '@switchyard/shared/item';
import { call, connect, refusal, type Client } from './hub.ts';

type Hub = { url: string };
type Fields = Record<string, unknown>;

/** Creates one item; its title is of no account unless given. */
export async function make(hub: Hub, project: string, fields: Fields = {}): Promise<Item> {
  const input = { project, title: 'work', ...fields } as CommandInput<'item.create'>;
  return ((await call(hub, 'item.create', input)) as { item: Item }).item;
}

/** Creates several items in one array. */
export async function makeAll(hub: Hub, project: string, items: Fields[]): Promise<Item[]> {
  const input = { project, items: items.map((item) => ({ title: 'work', ...item })) };
  return ((await call(hub, 'item.create', input)) as { items: Item[] }).items;
}

export const get = async (hub: Hub, id: string): Promise<Item> => (await call(hub, 'item.get', { id })).item;

/** An agent that comes over HTTP. */
export function httpAgent(hub: Hub, agent_id: string, token?: string) {
  return {
    claim: (id: string, more: Fields = {}) => call(hub, 'item.claim', { id, agent_id, ...more }, token),
    next: (project: string, more: Fields = {}) =>
      call(hub, 'item.claim_next', { project, agent_id, ...more }, token),
    heartbeat: (id: string, attempt: number, more: Fields = {}) =>
      call(hub, 'item.heartbeat', { id, agent_id, attempt, ...more }, token),
    files: (id: string, attempt: number, files: string[]) =>
      call(hub, 'item.report_files', { id, agent_id, attempt, files }, token),
    complete: (id: string, attempt: number, more: Fields = {}) =>
      call(hub, 'item.complete', { id, agent_id, attempt, result_summary: 'done it', ...more }, token),
    fail: (id: string, attempt: number, more: Fields = {}) =>
      call(hub, 'item.fail', { id, agent_id, attempt, failure_reason: 'broke it', ...more }, token),
    release: (id: string, attempt: number, more: Fields = {}) =>
      call(hub, 'item.release', { id, agent_id, attempt, ...more }, token),
  };
}

/** Claims and completes an item. */
export async function finish(hub: Hub, id: string, agentId = 'finisher'): Promise<Item> {
  const agent = httpAgent(hub, agentId);
  const { claim } = await agent.claim(id);
  return (await agent.complete(id, claim.attempt)).item;
}

/** Claims and fails an item for good. */
export async function breakDown(hub: Hub, id: string, agentId = 'breaker'): Promise<Item> {
  const agent = httpAgent(hub, agentId);
  const { claim } = await agent.claim(id);
  return (await agent.fail(id, claim.attempt, { retryable: false })).item;
}

export async function eventsOf(hub: Hub, project: string, type?: EventType): Promise<Event[]> {
  const { events } = await call(hub, 'project.events', { project, limit: 1_000 });
  return type === undefined ? events : events.filter((event) => event.type === type);
}

/** All that there is to see of a project: its items and how far its log reaches. */
async function stateOf(hub: Hub, project: string) {
  const { items, total } = await call(hub, 'item.list', { project, limit: 500 });
  const { project: row } = await call(hub, 'project.get', { project });
  return { items, total, last_seq: row.last_seq };
}

/** Acts, and sees that afterwards the project is what it was. */
export async function unchanged<T>(hub: Hub, project: string, act: () => Promise<T>): Promise<T> {
  const before = await stateOf(hub, project);
  const result = await act();
  expect(await stateOf(hub, project)).toEqual(before);
  return result;
}

/** The refusal of something that must change nothing. */
export function refusedIn(hub: Hub, project: string, act: () => Promise<unknown>): Promise<WireError> {
  return unchanged(hub, project, () => refusal(act()));
}

/** A watcher of a project, which hears its log from now on. */
export async function watch(hub: Hub, project: string): Promise<Client> {
  const client = await connect(hub);
  await client.call('project.watch', { project });
  return client;
}

export interface Told {
  type: EventType;
  item_id: string | null;
  attempt: number | null;
  data: Record<string, unknown>;
  item?: Item;
}

/** Waits for a line of the log about an item. */
export const hearAbout = (watcher: Client, type: EventType, id: string, fits = (_: Told) => true) =>
  watcher.hear<Told>('project.event', (event) => event.type === type && event.item_id === id && fits(event));
