import { setTimeout as sleep } from 'node:timers/promises';
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

/**
 * Follows a project's log from `after` on: `onEvent` hears every event once and in order, over reconnects and
 * gaps. Throws when the hub's log no longer reaches back to where it was.
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

  function take(event: ProjectEvent): void {
    if (waiting) return void waiting.push(event);
    if (event.seq <= following.seq) return;
    if (event.seq > following.seq + 1) {
      following.gaps += 1;
      waiting = [event];
      return void catchUp().catch(() => {}); // the connection went: it is asked again after the next connect
    }
    following.seq = event.seq;
    onEvent(event);
  }

  async function catchUp(): Promise<void> {
    waiting ??= [];
    const answer = await client.watch(project, following.seq);
    if (!('events' in answer))
      throw new Error(`The log of ${project} no longer reaches back to ${following.seq}.`);
    const missed = [...answer.events, ...waiting];
    waiting = null;
    for (const event of missed) take(event);
  }

  client.on('project.event', take);
  client.onConnect(() => void catchUp().catch(() => {}));
  await catchUp();
  return following;
}
