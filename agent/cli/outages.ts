import { setTimeout as sleep } from 'node:timers/promises';
import type { HubClient } from '../client.ts';
import type { Output } from './output.ts';

const lookEveryMs = 500;

/** Says on stderr when the hub is gone, and when it is back; for commands that wait through it. Never ends. */
export async function tellOfOutages(out: Output, client: HubClient): Promise<never> {
  let away = false;
  for (;;) {
    await sleep(lookEveryMs, undefined, { ref: false });
    if (client.connected !== away) continue;
    away = !away;
    out.note(away ? 'The hub is away. Waiting for it …' : 'The hub is back.');
  }
}
