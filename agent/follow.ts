import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '@switchyard/shared/limits';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import type { HubClient } from './client.ts';

export interface Following {
  /** The last event handed on. */
  readonly seq: number;
  /** How often an event arrived that did not follow the last one, and the log had to be asked. */
  readonly gaps: number;
  /** Waits until the event `seq` was handed on; false when that takes longer than `timeoutMs`. */
  reached(seq: number, timeoutMs: number): Promise<boolean>;
}

const againMs = 1_000;

/**
 * Follows a project's log from `after` on, until the client is closed: `onEvent` hears every event once and in order,
 * over reconnects, outages and gaps, however far it fell behind. Throws the hub's `Refusal`.
 *
 *     const following = await followProject(client, 'shop', { after: 0, onEvent: console.log });
 */
export async function followProject(
  client: HubClient,
  project: string,
  { after, onEvent }: { after: number; onEvent: (event: ProjectEvent) => void },
): Promise<Following> {
  const following = {
    seq: after,
    gaps: 0,
    async reached(seq: number, timeoutMs: number): Promise<boolean> {
      const deadline = performance.now() + timeoutMs;
      while (following.seq < seq && performance.now() < deadline) await sleep(10);
      return following.seq >= seq;
    },
  };
  /** While the log is asked, live events wait: they may overtake the answer. */
  let waiting: ProjectEvent[] | null = [];
  let over = false;
  void client.ended.then(() => (over = true));

  function take(event: ProjectEvent): void {
    if (waiting) return void waiting.push(event);
    if (event.seq <= following.seq) return;
    if (event.seq === following.seq + 1) return handOn(event);
    following.gaps += 1;
    waiting = [event];
    void catchUpInTheEnd();
  }

  function handOn(event: ProjectEvent): void {
    if (event.seq <= following.seq) return;
    following.seq = event.seq;
    onEvent(event);
  }

  async function catchUp(): Promise<void> {
    waiting ??= [];
    const answer = await client.watch(project, following.seq);
    if ('events' in answer) answer.events.forEach(handOn);
    else await readOn(answer.seq);
    const live = waiting ?? [];
    waiting = null;
    live.forEach(take);
  }

  /** Who is far behind is answered with how things stand now: what happened until then is read from the log. */
  async function readOn(upTo: number): Promise<void> {
    while (following.seq < upTo) {
      const from = { project, after: following.seq, limit: limits.eventsMax };
      const { events } = await client.call('project.events', from);
      if (events.length === 0) return;
      events.forEach(handOn);
    }
  }

  /** Live events are kept back meanwhile, so that giving up would be silence for ever. */
  async function catchUpInTheEnd(): Promise<void> {
    while (!over) {
      const done = await catchUp().then(
        () => true,
        () => false, // the connection went, or the hub has no database just now
      );
      if (done) return;
      await sleep(againMs);
    }
  }

  client.on('project.event', take);
  client.onConnect(() => void catchUpInTheEnd());
  await catchUp();
  return following;
}
