import { io, type Socket } from 'socket.io-client';
import type { BenchHub } from '../../../bench/hub.ts';

export interface Load {
  /** Commands that were answered well: each is a line of the log, or more. */
  changes(): number;
  stop(): void;
}

const agentCount = 40;

interface Agent {
  socket: Socket;
  claim: { item: { id: string }; attempt: number } | null;
}

/** Agents that claim, report progress and complete, `rate` changes a second in all. */
export async function startLoad(hub: BenchHub, project: string, rate: number): Promise<Load> {
  const agents = await Promise.all(
    Array.from({ length: agentCount }, (_, at) => connect(hub, project, `agent-${at}`)),
  );
  let changes = 0;
  let asked = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    // By the clock, so that a timer that fires late makes up for it.
    const due = ((performance.now() - began) / 1_000) * rate;
    for (; asked < due; asked++)
      void step(agents[asked % agentCount]!, Math.floor(asked / agentCount)).then(
        () => changes++,
        () => {}, // Refused because the one before is still on its way.
      );
  }, 10);
  return {
    changes: () => changes,
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
  return { socket, claim: null };
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
