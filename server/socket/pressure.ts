import type { LogRow } from '../domain/journal.ts';
import type { Hub } from '../hub.ts';
import type { HubServer, HubSocket } from './types.ts';
import { eventOf, roomOf, type Watchers } from './watch.ts';

const bufferedBytesMax = 1_000_000;
/** Past this a client that does not read, and still sends, is shut out. */
const hopelessBytesMax = 32_000_000;
const lookMs = 250;

/**
 * A paused board must not fill the hub's memory (one cost 324 MB, and stayed connected). Past 1 MB unsent it hears no
 * more; once that is sent it gets the newest line, sees the gap, and catches up from the log.
 */
export class Pressure {
  readonly #io: HubServer;
  readonly #watchers: Watchers;
  readonly #lagging = new Map<HubSocket, Set<string>>();
  readonly #newest = new Map<string, LogRow>();
  readonly #timer: NodeJS.Timeout;

  constructor(hub: Hub, io: HubServer, watchers: Watchers) {
    this.#io = io;
    this.#watchers = watchers;
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
    for (const socket of this.#io.sockets.sockets.values()) {
      const bytes = bufferedBytes(socket);
      // Not disconnect(): that would first wait until everything is sent.
      if (bytes > hopelessBytesMax) socket.conn.close(true);
      else if (bytes > bufferedBytesMax) this.#pause(socket);
    }
    for (const [socket, rooms] of this.#lagging) {
      if (!socket.connected) this.#lagging.delete(socket);
      else if (bufferedBytes(socket) === 0) this.#resume(socket, rooms);
    }
  }

  #pause(socket: HubSocket): void {
    const rooms = [...socket.rooms].filter((room) => room.startsWith(roomOf('')));
    if (rooms.length === 0) return;
    for (const room of rooms) void socket.leave(room);
    this.#lagging.set(socket, new Set([...(this.#lagging.get(socket) ?? []), ...rooms]));
  }

  #resume(socket: HubSocket, rooms: Set<string>): void {
    this.#lagging.delete(socket);
    for (const room of rooms) {
      const projectId = room.slice(roomOf('').length);
      if (!this.#watchers.watches(socket, projectId)) continue;
      const newest = this.#newest.get(projectId);
      if (newest) socket.emit('project.event', eventOf(projectId, newest));
      void socket.join(room);
    }
  }
}

/** What was handed to the connection and has not left this process, in bytes. */
function bufferedBytes(socket: HubSocket): number {
  const { writeBuffer, transport } = socket.conn as unknown as {
    writeBuffer: { data?: string | Buffer }[];
    transport: { socket?: { bufferedAmount?: number } };
  };
  let bytes = transport.socket?.bufferedAmount ?? 0;
  for (const { data } of writeBuffer) bytes += data?.length ?? 0;
  return bytes;
}
