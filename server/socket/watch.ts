import type { CatchUp, ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { catchUpMax } from '@switchyard/shared/protocol';
import { limits } from '@switchyard/shared/limits';
import { noSuchProject } from '../commands/call.ts';
import { projectAgents } from '../domain/agents.ts';
import { readClock } from '../domain/clock.ts';
import { conflictsOfProject } from '../domain/conflicts.ts';
import { readLog } from '../domain/events.ts';
import type { LogRow } from '../domain/journal.ts';
import { projectProgress } from '../domain/progress.ts';
import { findProject } from '../domain/projects.ts';
import { windowOfItems } from '../domain/read-items.ts';
import { charactersIn, type ProjectFeed } from '../feed.ts';
import type { Hub } from '../hub.ts';
import { unavailable } from '../db/outage.ts';
import { verbatim } from '../json.ts';
import type { HubServer, HubSocket } from './types.ts';

const triesMax = 5;
const catchUpPage = 100;
/** A thousand lines about items with long descriptions would be 100 MB; a snapshot is less. */
const catchUpCharactersMax = 8_000_000;

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
    data: verbatim<ProjectEvent['data']>(row.data),
  };
  return row.item === null ? event : { ...event, item: verbatim(row.item) };
}

/** Sends the log of watched projects to their watchers, in order and without gaps. */
export class Watchers {
  readonly #hub: Hub;
  readonly #io: HubServer;
  /** Which projects a socket watches, or is about to. */
  readonly #watched = new Map<HubSocket, Map<string, Promise<ProjectFeed>>>();

  constructor(hub: Hub, io: HubServer) {
    this.#hub = hub;
    this.#io = io;
    hub.feed.onRows((projectId, rows) => this.#send(projectId, rows));
    hub.feed.onGone((projectId) => this.#sendAway(projectId));
  }

  watches(socket: HubSocket, projectId: string): boolean {
    return this.#watched.get(socket)?.has(projectId) ?? false;
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
    if (!socket.connected) return;
    const following = this.#follow(socket, projectId);
    const feed = await following;
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
      // It has gone, or does not want it any more.
      if (this.#watched.get(socket)?.get(projectId) !== following) return;
      for (const row of missed) socket.emit('project.event', eventOf(projectId, row));
      await socket.join(roomOf(projectId));
      return;
    }
    throw unavailable();
  }

  async unwatch(socket: HubSocket, projectId: string): Promise<void> {
    await socket.leave(roomOf(projectId));
    const projects = this.#watched.get(socket);
    const following = projects?.get(projectId);
    projects?.delete(projectId);
    if (projects?.size === 0) this.#watched.delete(socket);
    await following?.then(
      () => this.#hub.feed.release(projectId),
      () => {},
    );
  }

  async drop(socket: HubSocket): Promise<void> {
    for (const projectId of [...(this.#watched.get(socket)?.keys() ?? [])])
      await this.unwatch(socket, projectId);
    // Of one whose watches all failed, an empty entry is left.
    this.#watched.delete(socket);
  }

  /** Known before it is awaited, so that a socket that goes meanwhile leaves no feed behind. */
  #follow(socket: HubSocket, projectId: string): Promise<ProjectFeed> {
    const projects = this.#watched.get(socket) ?? new Map<string, Promise<ProjectFeed>>();
    this.#watched.set(socket, projects);
    const known = projects.get(projectId);
    if (known) return known;
    const following = this.#hub.feed.follow(projectId);
    projects.set(projectId, following);
    following.catch(() => projects.get(projectId) === following && projects.delete(projectId));
    return following;
  }

  #send(projectId: string, rows: readonly LogRow[]): void {
    if (!this.isWatched(projectId)) return;
    const room = this.#io.to(roomOf(projectId));
    for (const row of rows) room.emit('project.event', eventOf(projectId, row));
  }

  /** They come back, ask for the project again, and are told that there is none. */
  #sendAway(projectId: string): void {
    for (const id of [...(this.#io.sockets.adapter.rooms.get(roomOf(projectId)) ?? [])])
      this.#io.sockets.sockets.get(id)?.conn.close();
  }

  async #catchUp(projectId: string, after: number): Promise<CatchUp | undefined> {
    const rows = await this.#linesAfter(projectId, after);
    if (!rows || (rows.length > 0 && rows[0]!.seq !== after + 1)) return undefined;
    if (rows.length === 0) {
      const project = await this.#hub.db.read((sql) => findProject(sql, projectId));
      // Ahead of the log: another database, or one that was set back.
      if (!project || project.last_seq < after) return undefined;
    }
    return { seq: rows.at(-1)?.seq ?? after, events: rows.map((row) => eventOf(projectId, row)) };
  }

  /** Undefined when that is too much for one answer. */
  async #linesAfter(projectId: string, after: number): Promise<LogRow[] | undefined> {
    const rows: LogRow[] = [];
    let characters = 0;
    for (;;) {
      const from = rows.at(-1)?.seq ?? after;
      const page = await this.#hub.db.read((sql) => readLog(sql, projectId, from, catchUpPage));
      rows.push(...page);
      for (const row of page) characters += charactersIn(row);
      if (rows.length > catchUpMax || characters > catchUpCharactersMax) return undefined;
      if (page.length < catchUpPage) return rows;
    }
  }

  /** `seq` is read first: whatever is newer in the rest comes again as an event, and the higher version wins. */
  async #snapshot(projectId: string): Promise<Snapshot> {
    const { db, timing } = this.#hub;
    const project = await db.read((sql) => findProject(sql, projectId));
    if (!project) throw noSuchProject(projectId);
    const [server_time, progress, agents, conflicts, items] = await Promise.all([
      db.read(readClock),
      db.read((sql) => projectProgress(sql, projectId)),
      db.read((sql) => projectAgents(sql, projectId, timing.heartbeatSeconds)),
      db.read((sql) => conflictsOfProject(sql, projectId)),
      db.read((sql) => windowOfItems(sql, projectId, limits.watchWindow)),
    ]);
    return {
      server_time,
      seq: project.last_seq,
      project,
      progress,
      agents,
      conflicts,
      items: items.map((item) => verbatim(item)),
    };
  }
}
