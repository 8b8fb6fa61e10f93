import type { Server, Socket } from 'socket.io';
import type { ClientToHub, HubToClient } from '@switchyard/shared/protocol';
import type { Caller, Session } from '../caller.ts';

/** What the hub knows of one connection; nothing in it outlives the connection. */
export interface ConnectionData {
  caller: Caller;
  /** Of an agent. */
  capacity: number;
  /** Resolves once an agent's session is open; what it sends before that waits. Null: it is open. */
  opening: Promise<void> | null;
  inFlight: number;
  /** Commands it may still send now; refilled by time. */
  budget: { left: number; at: number };
}

export type HubServer = Server<ClientToHub, HubToClient, Record<string, never>, ConnectionData>;
export type HubSocket = Socket<ClientToHub, HubToClient, Record<string, never>, ConnectionData>;

/** An agent that is connected to this hub. */
export interface LocalAgent {
  socket: HubSocket;
  session: Session;
  capacity: number;
  /** Claims it holds, as far as the log has told; only offers go by it. */
  held: Set<string>;
  /** What there is to tell it once `session.ready` has been said, which comes first; null: it has been. */
  unsaid: (() => void)[] | null;
  /** When a claim of its last ended; what it was offered before that, it has forgotten. */
  freeSinceMs: number;
  /** Where in the log this connection stands; null until it does. */
  connectedSeq: number | null;
}
