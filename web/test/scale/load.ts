import type { Socket } from 'socket.io-client';
import type { BenchHub } from '../../../bench/hub.ts';
import { ask, connectAgent } from '../setup/wire.ts';
import { draft } from './fill.ts';

export interface Load {
  /** Of an item that stays in work, and reports its progress again and again. */
  readonly heldNumber: number;
  stop(): void;
}

/** Enough that each has time for its answer. */
const agentCount = 120;
/** Items that are made on the way are none of those that were there. */
const newFrom = 10_000_000;

interface Agent {
  socket: Socket;
  claim: { item: { id: string; number: number }; attempt: number } | null;
  /** Keeps what it claimed. */
  holds: boolean;
  /** How many changes it has made, and a start of its own, so that all kinds are made all the time. */
  turn: number;
  /** A command is on its way. */
  busy: boolean;
}

/**
 * Agents that claim, report progress, complete, and write down another item for the one they did, so that this may go on
 * for as long as one likes; `rate` changes a second in all.
 */
export async function startLoad(hub: BenchHub, project: string, rate: number): Promise<Load> {
  const agents = await Promise.all(Array.from({ length: agentCount }, (_, at) => connect(hub, project, at)));
  const [holder] = agents as [Agent];
  await claim(holder);
  if (!holder.claim) throw new Error('There is nothing to claim.');
  holder.holds = true;
  let made = 0;
  const create = (agent: Agent) => ask(agent.socket, 'item.create', { project, ...draft(newFrom + made++) });
  let asked = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    // By the clock, so that a timer that fires late makes up for it.
    const due = ((performance.now() - began) / 1_000) * rate;
    for (; asked < due; asked++) {
      const agent = agents[asked % agentCount]!;
      if (agent.busy) continue;
      agent.busy = true;
      // At the end it is not answered any more; a claim that was lost meanwhile is no use.
      void step(agent, create)
        .catch(() => (agent.claim = null))
        .finally(() => (agent.busy = false));
    }
  }, 10);
  return {
    heldNumber: holder.claim.item.number,
    stop() {
      clearInterval(timer);
      for (const { socket } of agents) socket.disconnect();
    },
  };
}

async function connect(hub: BenchHub, project: string, at: number): Promise<Agent> {
  const socket = await connectAgent(hub, project, `agent-${at}`);
  return { socket, claim: null, holds: false, turn: at, busy: false };
}

/** One change. */
async function step(agent: Agent, create: (agent: Agent) => Promise<unknown>): Promise<void> {
  const turn = agent.turn++;
  const held = agent.claim && { id: agent.claim.item.id, attempt: agent.claim.attempt };
  if (held && (agent.holds || turn % 4 === 1)) {
    await ask(agent.socket, 'item.heartbeat', { ...held, progress: turn % 100, note: `Turn ${turn}` });
  } else if (held) {
    agent.claim = null;
    await ask(agent.socket, 'item.complete', { ...held, result_summary: 'Done', files_modified: [] });
  } else if (turn % 4 === 3) {
    await create(agent);
  } else {
    await claim(agent);
  }
}

async function claim(agent: Agent): Promise<void> {
  agent.claim = (await ask<{ claim: Agent['claim'] }>(agent.socket, 'item.claim_next', {})).claim;
}
