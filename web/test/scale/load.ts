import { io, type Socket } from 'socket.io-client';
import type { BenchHub } from '../../../bench/hub.ts';

export interface Load {
  stop(): void;
}

/** Enough that each has time for its answer. */
const agentCount = 120;

interface Agent {
  socket: Socket;
  claim: { item: { id: string }; attempt: number } | null;
  /** A command is on its way. */
  busy: boolean;
}

/** Agents that claim, report progress and complete, `rate` changes a second in all. */
export async function startLoad(hub: BenchHub, project: string, rate: number): Promise<Load> {
  const agents = await Promise.all(
    Array.from({ length: agentCount }, (_, at) => connect(hub, project, `agent-${at}`)),
  );
  let asked = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    // By the clock, so that a timer that fires late makes up for it.
    const due = ((performance.now() - began) / 1_000) * rate;
    for (; asked < due; asked++) {
      const agent = agents[asked % agentCount]!;
      if (agent.busy) continue;
      agent.busy = true;
      // At the end it is not answered any more.
      void step(agent, Math.floor(asked / agentCount))
        .catch(() => {})
        .finally(() => (agent.busy = false));
    }
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      for (const { socket } of agents) socket.disconnect();
    },
  };
}

async function connect(hub: BenchHub, project: string, agent_id: string): Promise<Agent> {
  const auth = { token: hub.token, project, agent_id };
  const socket = io(hub.url, { transports: ['websocket'], auth, forceNew: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('session.ready', () => resolve()).once('connect_error', reject);
  });
  return { socket, claim: null, busy: false };
}

async function step(agent: Agent, turn: number): Promise<void> {
  const { claim } = agent;
  if (!claim) {
    agent.claim = (await ask<{ claim: Agent['claim'] }>(agent, 'item.claim_next', {})).claim;
  } else if (turn % 3 === 1) {
    await ask(agent, 'item.heartbeat', { id: claim.item.id, attempt: claim.attempt, progress: turn % 100 });
  } else {
    agent.claim = null;
    const done = { result_summary: 'Done', files_modified: [] };
    await ask(agent, 'item.complete', { id: claim.item.id, attempt: claim.attempt, ...done });
  }
}

async function ask<T>({ socket }: Agent, name: string, input: object): Promise<T> {
  const answer = (await socket.timeout(20_000).emitWithAck(name, input)) as
    { ok: true; result: T } | { ok: false; error: { message: string } };
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.result;
}
