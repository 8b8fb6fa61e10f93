import type { ClientToHub, HubToClient } from '@switchyard/shared/protocol';
import { io, type Socket } from 'socket.io-client';

export type HubSocket = Socket<HubToClient, ClientToHub>;

/** A socket to the hub that served this page; the cookie says who we are. It connects when told to. */
export function openSocket(): HubSocket {
  return io({
    transports: ['websocket'],
    withCredentials: true,
    auth: {},
    autoConnect: false,
    forceNew: true,
    reconnectionDelay: 300,
    reconnectionDelayMax: 5_000,
    timeout: 10_000,
  });
}

const answerWithinMs = 10_000;
type Asked<K extends keyof ClientToHub> = Parameters<ClientToHub[K]>[0];
type Answered<K extends keyof ClientToHub> = Parameters<Parameters<ClientToHub[K]>[1]>[0];

/** Rejects when no answer comes in time, or the connection ends before it. */
export function ask<K extends keyof ClientToHub>(
  socket: HubSocket,
  name: K,
  input: Asked<K>,
): Promise<Answered<K>> {
  // The library's own types lose the answer's when there is a timeout.
  const untyped = socket.timeout(answerWithinMs) as unknown as {
    emitWithAck(name: string, input: unknown): Promise<Answered<K>>;
  };
  return untyped.emitWithAck(name, input);
}
