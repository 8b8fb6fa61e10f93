import type { LogRow } from '../domain/journal.ts';
import type { Hub } from '../hub.ts';
import type { HubServer, HubSocket } from './types.ts';
import { eventOf, roomOf } from './watch.ts';

const bufferedBytesMax = 1_000_000;
const lookMs = 250;

/**
 * A paused board must not fill the hub's memory (one cost 324 MB, and stayed connected). Past 1 MB unsent it hears no
 * more; once that is sent it gets the newest line, sees the gap, and catches up from the log.
 */
export class Pressure {
  readonly #io: HubServer;
  readonly #lagging = new Map<HubSocket, Set<string>>();
  readonly #newest = new Map<string, LogRow>();
  readonly #timer: NodeJS.Timeout;

  constructor(hub: Hub, io: HubServer) {
    this.#io = io;
    hub.feed.onRows((projectId, rows) => {
      if (this.#lagging.size > 0) this.#newest.set(projectId, rows.at(-1)!);
      else this.#newest.clear();
    });
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const [room, ids] of this.#io.sockets.adapter.rooms) {
      if (!room.startsWith('watch:')) continue;
      for (const id of [...ids]) {
        const socket = this.#io.sockets.sockets.get(id);
        if (socket && bufferedBytes(socket) > bufferedBytesMax) this.#pause(socket, room);
      }
    }
    for (const [socket, rooms] of this.#lagging) {
      if (!socket.connected) this.#lagging.delete(socket);
      else if (bufferedBytes(socket) === 0) this.#resume(socket, rooms);
    }
  }

  #pause(socket: HubSocket, room: string): void {
    void socket.leave(room);
    this.#lagging.set(socket, (this.#lagging.get(socket) ?? new Set()).add(room));
  }

  #resume(socket: HubSocket, rooms: Set<string>): void {
    this.#lagging.delete(socket);
    for (const room of rooms) {
      const projectId = room.slice(roomOf('').length);
      const newest = this.#newest.get(projectId);
      if (newest) socket.emit('project.event', eventOf(projectId, newest));
      void socket.join(room);
    }
  }
}

/** What was handed to the connection and has not left this process, in bytes; packets still queued count as 1 kB. */
function bufferedBytes(socket: HubSocket): number {
  const conn = socket.conn as unknown as {
    writeBuffer: unknown[];
    transport: { socket?: { bufferedAmount?: number } };
  };
  return (conn.transport.socket?.bufferedAmount ?? 0) + conn.writeBuffer.length * 1_000;
}
