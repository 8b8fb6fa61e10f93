import { io, type Socket } from 'socket.io-client';
import type { Answer, ClientToHub, HubToClient } from '@switchyard/shared/protocol';
import type { SessionReady } from '@switchyard/shared/agent';

export type Connection = Socket<HubToClient, ClientToHub>;

const answerMsMax = 60_000;
const openMsMax = 20_000;
const openingAtOnce = 32;

/** Plain Socket.IO connections, without a client library of ours: what is measured is the hub. */
export async function connect(url: string, auth: Record<string, unknown>): Promise<Connection> {
  const socket: Connection = io(url, {
    transports: ['websocket'],
    auth,
    forceNew: true,
    reconnection: false,
  });
  const isAgent = 'project' in auth;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no connection to ${url} in ${openMsMax} ms`)),
      openMsMax,
    );
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    if (isAgent) {
      socket.once('session.ready', (ready) => {
        beat(socket, ready);
        done();
      });
    } else socket.once('connect', done);
    socket.once('connect_error', reject);
  });
  return socket;
}

/** As a real agent does, so that the hub has these to answer too. */
function beat(socket: Connection, { heartbeat_seconds }: SessionReady): void {
  const every = heartbeat_seconds * 1_000;
  // Spread over the period: these agents connected all at once, real ones do not.
  const first = setTimeout(() => {
    const timer = setInterval(() => socket.emit('agent.heartbeat', { claims: [] }, () => {}), every);
    socket.once('disconnect', () => clearInterval(timer));
  }, Math.random() * every);
  socket.once('disconnect', () => clearTimeout(first));
}

/** Many at a time, but not all at once: a hub that opens 512 sessions is not what is measured here. */
export async function connectMany(
  count: number,
  url: string,
  auth: (place: number) => Record<string, unknown>,
): Promise<Connection[]> {
  const sockets: Connection[] = [];
  while (sockets.length < count) {
    const size = Math.min(openingAtOnce, count - sockets.length);
    const more = Array.from({ length: size }, (_, place) => connect(url, auth(sockets.length + place)));
    sockets.push(...(await Promise.all(more)));
  }
  return sockets;
}

/** Asks once and waits; for what is not measured by the cycle. Throws what the hub refuses with. */
export async function ask<T>(socket: Connection, event: string, input: unknown): Promise<T> {
  const patient = socket.timeout(answerMsMax) as unknown as {
    emitWithAck(event: string, input: unknown): Promise<Answer<T>>;
  };
  const answer = await patient.emitWithAck(event, input);
  if (answer.ok) return answer.result;
  const { code, message, details } = answer.error;
  throw new Error(`${event}: ${code}: ${message} ${JSON.stringify(details)}`);
}
