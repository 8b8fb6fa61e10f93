import { projectAgents } from '../domain/agents.ts';
import { projectProgress } from '../domain/progress.ts';
import type { Hub } from '../hub.ts';
import type { HubServer } from './types.ts';
import { roomOf, type Watchers } from './watch.ts';

const gapMsMin = 250;
/** Adding up may take at most this part of the time: 100,000 items cost more than a pixel is worth. */
const costShare = 0.1;
/** Agents go stale without a line in the log. */
const quietMs = 5_000;

/** `project.progress` and `project.agents` for those who watch: at most four a second, less when adding up is dear. */
export class Pulse {
  readonly #hub: Hub;
  readonly #io: HubServer;
  readonly #watchers: Watchers;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #dueAtMs = new Map<string, number>();
  #quiet: NodeJS.Timeout;

  constructor(hub: Hub, io: HubServer, watchers: Watchers) {
    this.#hub = hub;
    this.#io = io;
    this.#watchers = watchers;
    hub.feed.onRows((projectId) => this.#soon(projectId));
    this.#quiet = setInterval(() => {
      for (const room of io.sockets.adapter.rooms.keys())
        if (room.startsWith('watch:')) this.#soon(room.slice('watch:'.length));
    }, quietMs);
  }

  stop(): void {
    clearInterval(this.#quiet);
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #soon(projectId: string): void {
    if (this.#timers.has(projectId) || !this.#watchers.isWatched(projectId)) return;
    const wait = Math.max(0, (this.#dueAtMs.get(projectId) ?? 0) - performance.now());
    this.#timers.set(
      projectId,
      setTimeout(() => void this.#beat(projectId), wait),
    );
  }

  async #beat(projectId: string): Promise<void> {
    const startMs = performance.now();
    try {
      const { db, timing } = this.#hub;
      const [progress, agents] = await Promise.all([
        db.read((sql) => projectProgress(sql, projectId)),
        db.read((sql) => projectAgents(sql, projectId, timing.heartbeatSeconds)),
      ]);
      const room = this.#io.to(roomOf(projectId));
      room.emit('project.progress', { project_id: projectId, progress });
      room.emit('project.agents', { project_id: projectId, agents });
    } catch (error) {
      this.#hub.log.debug({ err: error, projectId }, 'could not add up progress');
    }
    const nowMs = performance.now();
    this.#dueAtMs.set(projectId, nowMs + Math.max(gapMsMin, (nowMs - startMs) / costShare));
    this.#timers.delete(projectId);
    if (!this.#watchers.isWatched(projectId)) this.#dueAtMs.delete(projectId);
  }
}
