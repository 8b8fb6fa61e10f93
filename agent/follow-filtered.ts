import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandInput } from '@switchyard/shared/commands';
import type { Event } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import type { Call } from './call.ts';
import type { HubClient } from './client.ts';
import { followProject } from './follow.ts';

/** What of a log is asked for, as `project.events` takes it; what is left out holds nothing back. */
export type LogFilter = Pick<CommandInput<'project.events'>, 'type' | 'agent' | 'item'>;

const againMs = 1_000;

/**
 * `followProject` for the lines that pass a filter, those up to `end` first. Whether a line passes is asked of the hub,
 * of live ones too: only it knows whose session a line is about that names no agent, as that of a claim it put back.
 */
export async function followFiltered(
  client: HubClient,
  project: string,
  {
    after,
    end,
    filter,
    onEvent,
  }: { after: number; end: number; filter: LogFilter; onEvent: (event: ProjectEvent) => void },
): Promise<void> {
  let told = after;
  let heard = end;
  let isTelling = false;
  let over = false;
  /** What came live has its item with it. */
  const live = new Map<number, ProjectEvent>();
  void client.ended.then(() => (over = true));

  async function tellPage(): Promise<void> {
    const page = { project, after: told, limit: limits.eventsMax, ...filter };
    const { events, next_after } = await client.call('project.events', page);
    for (const event of events) onEvent(live.get(event.seq) ?? event);
    told = Math.max(told, next_after);
    for (const seq of live.keys()) if (seq <= told) live.delete(seq);
  }

  async function tellInTheEnd(): Promise<void> {
    if (isTelling) return;
    isTelling = true;
    while (told < heard && !over) {
      // The connection went, or the hub has no database just now.
      await tellPage().catch(() => sleep(againMs));
    }
    isTelling = false;
  }

  while (told < end) await tellPage();
  await followProject(client, project, {
    after: Math.max(after, end),
    onEvent(event) {
      if (event.seq <= told) return; // it stood in the page of an earlier one
      live.set(event.seq, event);
      heard = event.seq;
      void tellInTheEnd();
    },
  });
}

/** The last lines up to `end` that pass a filter, oldest first. */
export async function lastEvents(
  call: Call,
  project: string,
  { end, count, filter }: { end: number; count: number; filter: LogFilter },
): Promise<Event[]> {
  const found: Event[] = [];
  let before: number | null = end + 1;
  while (before !== null && found.length < count) {
    const limit = Math.min(count - found.length, limits.eventsMax);
    const page = { project, before, limit, ...filter };
    const answer: { events: Event[]; next_before?: number | null | undefined } = await call(
      'project.events',
      page,
    );
    found.push(...answer.events);
    before = answer.next_before ?? null;
  }
  return found.reverse();
}
