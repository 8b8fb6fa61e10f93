import type { CatchUp, ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { catchUpMax } from '@switchyard/shared/protocol';
import { limits } from '@switchyard/shared/limits';
import { projectAgents } from '../domain/agents.ts';
import { conflictsOfProject } from '../domain/conflicts.ts';
import { readLog } from '../domain/events.ts';
import type { LogRow } from '../domain/journal.ts';
import { projectProgress } from '../domain/progress.ts';
import { findProject } from '../domain/projects.ts';
import { windowOfItems } from '../domain/read-items.ts';
import { raw } from '../domain/wire.ts';
import type { ProjectFeed } from '../feed.ts';
import type { Hub } from '../hub.ts';
import { unavailable } from '../db/outage.ts';
import type { HubServer, HubSocket } from './types.ts';

const triesMax = 5;

export const roomOf = (projectId: string) => `watch:${projectId}`;

/** A line of the log as watchers receive it. */
export function eventOf(projectId: string, row: LogRow): ProjectEvent {
  const { seq, type, at, actor, item_id, attempt, session_id } = row;
  const event = {
    project_id: projectId,
    seq: seq!,
    type: type!,
    at,
    actor,
    item_id,
    attempt,
    session_id,
    data: raw<ProjectEvent['data']>(row.data),
  };
  return row.item === null ? event : { ...event, item: raw(row.item) };
}

/** Sends the log of watched projects to their watchers, in order and without gaps. */
export class Watchers {
  readonly #hub: Hub;
  readonly #io: HubServer;
  /** Which projects a socket watches. */
  readonly #watched = new Map<HubSocket, Map<string, ProjectFeed>>();

  constructor(hub: Hub, io: HubServer) {
    this.#hub = hub;
    this.#io = io;
    hub.feed.onRows((projectId, rows) => this.#send(projectId, rows));
  }

  isWatched(projectId: string): boolean {
    return this.#io.sockets.adapter.rooms.has(roomOf(projectId));
  }

  /**
   * A snapshot, or the events after `after` when the log still reaches back that far; from then on the socket hears
   * every later event, the first being the next after the answer's `seq`. `reply` is called in between, so that the
   * answer comes before them.
   */
  async watch(
    socket: HubSocket,
    projectId: string,
    after: number | undefined,
    reply: (answer: Snapshot | CatchUp) => void,
  ): Promise<void> {
    const feed = await this.#follow(socket, projectId);
    await socket.leave(roomOf(projectId));
    for (let tries = 1; tries <= triesMax; tries++) {
      const answer =
        (after === undefined ? undefined : await this.#catchUp(projectId, after)) ??
        (await this.#snapshot(projectId));
      if (feed.position < answer.seq) await feed.catchUp();
      const missed = feed.since(answer.seq);
      // Too much came meanwhile: look again, at what is newer.
      if (!missed) continue;
      reply(answer);
      for (const row of missed) socket.emit('project.event', eventOf(projectId, row));
      await socket.join(roomOf(projectId));
      return;
    }
    throw unavailable();
  }

  async unwatch(socket: HubSocket, projectId: string): Promise<void> {
    await socket.leave(roomOf(projectId));
    const projects = this.#watched.get(socket);
    if (projects?.delete(projectId)) this.#hub.feed.release(projectId);
    if (projects?.size === 0) this.#watched.delete(socket);
  }

  async drop(socket: HubSocket): Promise<void> {
    for (const projectId of [...(this.#watched.get(socket)?.keys() ?? [])])
      await this.unwatch(socket, projectId);
  }

  async #follow(socket: HubSocket, projectId: string): Promise<ProjectFeed> {
    const projects = this.#watched.get(socket) ?? new Map<string, ProjectFeed>();
    this.#watched.set(socket, projects);
    const known = projects.get(projectId);
    if (known) return known;
    const feed = await this.#hub.feed.follow(projectId);
    projects.set(projectId, feed);
    return feed;
  }

  #send(projectId: string, rows: readonly LogRow[]): void {
    if (!this.isWatched(projectId)) return;
    const room = this.#io.to(roomOf(projectId));
    for (const row of rows) room.emit('project.event', eventOf(projectId, row));
  }

  async #catchUp(projectId: string, after: number): Promise<CatchUp | undefined> {
    const rows = await this.#hub.db.read((sql) => readLog(sql, projectId, after, catchUpMax + 1));
    if (rows.length > catchUpMax || (rows.length > 0 && rows[0]!.seq !== after + 1)) return undefined;
    if (rows.length === 0) {
      const project = await this.#hub.db.read((sql) => findProject(sql, projectId));
      // Ahead of the log: another database, or one that was set back.
      if (!project || project.last_seq < after) return undefined;
    }
    return { seq: rows.at(-1)?.seq ?? after, events: rows.map((row) => eventOf(projectId, row)) };
  }

  /** `seq` is read first: whatever is newer in the rest comes again as an event, and the higher version wins. */
  async #snapshot(projectId: string): Promise<Snapshot> {
    const { db, timing } = this.#hub;
    const project = await db.read((sql) => findProject(sql, projectId));
    if (!project) throw unavailable();
    const [progress, agents, conflicts, items] = await Promise.all([
      db.read((sql) => projectProgress(sql, projectId)),
      db.read((sql) => projectAgents(sql, projectId, timing.heartbeatSeconds)),
      db.read((sql) => conflictsOfProject(sql, projectId)),
      db.read((sql) => windowOfItems(sql, projectId, limits.watchWindow)),
    ]);
    return {
      seq: project.last_seq,
      project,
      progress,
      agents,
      conflicts,
      items: items.map((item) => raw(item)),
    };
  }
}
