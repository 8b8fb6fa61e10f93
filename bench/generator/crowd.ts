// A crowd of agents, with the client that agents use: how they come back is as much its doing as the hub's.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type HubClient } from '../../agent/client.ts';
import { serveTasks } from '../child.ts';

const openingAtOnce = 100;
const openMsMax = 120_000;
const backMsMax = 120_000;

const agents: HubClient[] = [];
/** When each was let in again, by `Date.now()`. */
let backAtMs: number[] = [];
let allBack = Promise.withResolvers<void>();

function countBack(agent: HubClient): void {
  agent.on('session.ready', () => {
    backAtMs.push(Date.now());
    if (backAtMs.length === agents.length) allBack.resolve();
  });
}

const tasks = {
  gather: async (wish: { url: string; token: string; project: string; count: number }): Promise<void> => {
    const { count, ...where } = wish;
    let asked = 0;
    const open = async () => {
      while (asked < count) {
        const agent = await connect({ ...where, agentId: `agent-${asked++}`, connectTimeoutMs: openMsMax });
        agents.push(agent);
        countBack(agent);
      }
    };
    await Promise.all(Array.from({ length: openingAtOnce }, open));
  },

  /** From here on it is counted who comes back. */
  lookOut: (): void => {
    backAtMs = [];
    allBack = Promise.withResolvers();
  },

  /** Waits until all have come back, and says when each did. */
  back: async (): Promise<number[]> => {
    const late = sleep(backMsMax).then(() => {
      throw new Error(`${backAtMs.length} of ${agents.length} agents came back in ${backMsMax / 1_000} s`);
    });
    await Promise.race([allBack.promise, late]);
    return backAtMs;
  },
};
export type CrowdTasks = typeof tasks;

serveTasks(tasks);
