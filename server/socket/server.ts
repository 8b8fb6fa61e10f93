import type { Server as HttpServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { Server, type ExtendedError } from 'socket.io';
import { heartbeatSchema } from '@switchyard/shared/agent';
import { Refusal, refusalOfIssues, type WireError } from '@switchyard/shared/errors';
import { limits } from '@switchyard/shared/limits';
import { unwatchSchema, watchSchema, type Answer } from '@switchyard/shared/protocol';
import { projectIdFor } from '../commands/call.ts';
import { answerFor, asRefusal, isCommand } from '../dispatch.ts';
import { originIsAllowed, type OriginRules } from '../http/origin.ts';
import type { Hub } from '../hub.ts';
import { watchTokens } from '../token-watch.ts';
import { Agents, SessionTaken } from './agents.ts';
import { packets } from './encoder.ts';
import { greet } from './handshake.ts';
import { Heartbeats } from './heartbeats.ts';
import { Offers } from './offers.ts';
import { Pressure } from './pressure.ts';
import { Pulse } from './pulse.ts';
import type { HubServer, HubSocket, LocalAgent } from './types.ts';
import { Watchers } from './watch.ts';

/** Of ten thousand that come at once, those at the front get all the way in, instead of all waiting until it is too late. */
const greetedAtOnce = 32;
const inFlightMax = 256;
const commandsPerSecond = 2_000;
const reconnectAfterMs = 500;
/** Of the 10 s that shutting down may take. */
export const answersMsMax = 5_000;
const farewellMsMax = 1_000;

export interface SocketSide {
  io: HubServer;
  agents: Agents;
  /** Tells everybody to come back later, then closes every connection in good order. */
  drain(): Promise<void>;
}

/** Serves agents and watchers on the HTTP server's port. */
export function serveSockets(hub: Hub, http: HttpServer, rules: OriginRules): SocketSide {
  const io: HubServer = new Server(http, {
    transports: ['websocket'],
    serveClient: false,
    parser: packets,
    maxHttpBufferSize: limits.bulkMessageBytes + 64 * 1024,
    connectTimeout: 5_000,
    // A stalled event loop of 3.5 s once dropped 200 of 200 live clients: be patient before calling one dead.
    pingInterval: 10_000,
    pingTimeout: 20_000,
    allowRequest: (request, callback) => callback(null, originIsAllowed(request.headers, rules)),
  });
  const agents = new Agents(hub);
  const watchers = new Watchers(hub, io);
  const offers = new Offers(hub, agents);
  const parts: Parts = { agents, watchers, offers, heartbeats: new Heartbeats(hub), draining: false };
  const stoppable = [
    offers,
    new Pulse(hub, io, watchers),
    new Pressure(hub, io, watchers),
    watchTokens(
      hub,
      () => [...io.sockets.sockets.values()].map((socket) => socket.data.caller.token.id),
      (spent) => {
        for (const socket of io.sockets.sockets.values())
          if (spent.has(socket.data.caller.token.id)) socket.disconnect(true);
      },
    ),
  ];
  const closing = new Set<Promise<void>>();

  const admit = pLimit(greetedAtOnce);
  const admission = async (socket: HubSocket): Promise<ExtendedError | undefined> => {
    if (socket.conn.readyState !== 'open') return undefined; // it has given up
    try {
      const { caller, capacity } = await greet(hub, socket.handshake.auth, socket.handshake.headers.cookie);
      const budget = { left: commandsPerSecond, at: performance.now() };
      socket.data = { caller, capacity, opening: null, inFlight: 0, budget };
      return undefined;
    } catch (error) {
      return connectError(asRefusal(hub, 'handshake', error));
    }
  };
  io.use((socket, next) => void admit(admission, socket).then(next));
  io.on('connection', (socket) => {
    socket.data.opening = welcome(hub, parts, socket, closing).finally(() => (socket.data.opening = null));
  });

  return {
    io,
    agents,
    drain: async () => {
      for (const part of stoppable) part.stop();
      parts.draining = true;
      io.emit('hub.draining', { reconnect_after_ms: reconnectAfterMs });
      const sockets = () => [...io.sockets.sockets.values()];
      await settled(() => sockets().every((socket) => socket.data.inFlight === 0), answersMsMax);
      // Not disconnect(): a client that is sent away by name does not come back by itself.
      for (const socket of sockets()) socket.conn.close();
      await settled(() => io.sockets.sockets.size === 0, farewellMsMax);
      await Promise.allSettled([...closing]);
    },
  };
}

interface Parts {
  agents: Agents;
  watchers: Watchers;
  offers: Offers;
  heartbeats: Heartbeats;
  /** The hub is going down: what is under way is answered, and nothing new is begun. */
  draining: boolean;
}

/** Waits until it holds, or for so long. */
export async function settled(holds: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!holds() && performance.now() < deadline) await sleep(10);
}

async function welcome(
  hub: Hub,
  parts: Parts,
  socket: HubSocket,
  closing: Set<Promise<void>>,
): Promise<void> {
  const { session } = socket.data.caller;
  socket.onAny((event: string, ...args: unknown[]) => void hear(hub, parts, socket, event, args));
  let agent: LocalAgent | undefined;
  socket.on('disconnect', () => {
    const farewell = leave(hub, parts, socket, agent).catch((error: unknown) => {
      hub.log.debug({ err: error }, 'could not take down that a connection closed; its lease will tell');
    });
    closing.add(farewell);
    void farewell.finally(() => closing.delete(farewell));
  });
  if (!session) return;
  try {
    await hub.feed.follow(session.projectId);
    try {
      agent = await parts.agents.connect(socket, socket.data.capacity);
    } catch (error) {
      hub.feed.release(session.projectId);
      throw error;
    }
    if (!socket.connected) await leave(hub, parts, socket, agent);
    parts.offers.look(session.projectId);
  } catch (error) {
    if (error instanceof SessionTaken) return void socket.disconnect(true);
    hub.log.warn({ err: error, agent: session.agentId }, 'an agent could not connect');
    // By itself it comes back only from a connection that was lost, not from a hub that sent it away.
    socket.conn.close();
  }
}

async function leave(
  hub: Hub,
  parts: Parts,
  socket: HubSocket,
  agent: LocalAgent | undefined,
): Promise<void> {
  await parts.watchers.drop(socket);
  if (!agent) return;
  const { session } = agent;
  parts.agents.remove(agent);
  hub.feed.release(session.projectId);
  const entry = { actor: session.agentId, session_id: session.id, connection_id: session.connectionId };
  await hub.lanes.submit(session.projectId, hub.works.disconnect, entry);
}

/** One event from a client: a command, a heartbeat, or a watcher's wish. */
async function hear(
  hub: Hub,
  parts: Parts,
  socket: HubSocket,
  event: string,
  args: unknown[],
): Promise<void> {
  const last = args.at(-1);
  const ack = typeof last === 'function' ? (last as (answer: Answer<unknown>) => void) : () => {};
  const input = typeof args[0] === 'function' || args[0] === undefined ? {} : args[0];
  const refusal = parts.draining ? goingDown() : overLimit(socket);
  if (refusal) return ack({ ok: false, error: refusal.toJSON() });
  socket.data.inFlight++;
  try {
    if (socket.data.opening) await socket.data.opening;
    await answer(hub, parts, socket, event, input, ack);
  } catch (error) {
    ack({ ok: false, error: asRefusal(hub, event, error).toJSON() });
  } finally {
    socket.data.inFlight--;
  }
}

async function answer(
  hub: Hub,
  { watchers, heartbeats }: Parts,
  socket: HubSocket,
  event: string,
  input: unknown,
  ack: (answer: Answer<unknown>) => void,
): Promise<void> {
  const { caller } = socket.data;
  if (isCommand(event)) return ack({ ok: true, result: await answerFor(hub, caller, event, input) });
  const project = async (ref: string) =>
    projectIdFor({ hub, caller, requestId: undefined, fingerprint: undefined, remembered: false }, ref);
  if (event === 'agent.heartbeat') {
    if (!caller.session)
      throw new Refusal('FORBIDDEN', 'Only an agent has a heartbeat: connect with project and agent_id.');
    return ack({ ok: true, result: await heartbeats.hear(caller.session, parse(heartbeatSchema, input)) });
  }
  if (event === 'project.watch') {
    const wish = parse(watchSchema, input);
    return watchers.watch(socket, await project(wish.project), wish.after, (result) =>
      ack({ ok: true, result }),
    );
  }
  if (event === 'project.unwatch') {
    await watchers.unwatch(socket, await project(parse(unwatchSchema, input).project));
    return ack({ ok: true, result: {} });
  }
  throw new Refusal(
    'NOT_FOUND',
    `There is no command "${event.slice(0, 100)}". /api/docs lists those there are.`,
    { command: event.slice(0, 100) },
  );
}

function parse<T>(
  schema: {
    safeParse(
      input: unknown,
    ): { success: true; data: T } | { success: false; error: Parameters<typeof refusalOfIssues>[0] };
  },
  input: unknown,
): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw refusalOfIssues(parsed.error);
}

/** A token bucket, and a bound on what is under way: one client cannot crowd out the others. */
function overLimit({ data }: HubSocket): Refusal | null {
  const now = performance.now();
  const { budget } = data;
  budget.left = Math.min(commandsPerSecond, budget.left + ((now - budget.at) / 1_000) * commandsPerSecond);
  budget.at = now;
  if (budget.left >= 1 && data.inFlight < inFlightMax) {
    budget.left--;
    return null;
  }
  return new Refusal('RATE_LIMITED', 'Too much at once from this connection. Wait for answers, then go on.', {
    retry_after_ms: 100,
  });
}

function goingDown(): Refusal {
  return new Refusal('UNAVAILABLE', 'The hub is going down. Connect again, then repeat this.', {
    retry_after_ms: reconnectAfterMs,
  });
}

function connectError(refusal: Refusal): Error & { data: WireError } {
  return Object.assign(new Error(refusal.message), { data: refusal.toJSON() });
}
