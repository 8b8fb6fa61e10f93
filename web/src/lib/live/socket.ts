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
