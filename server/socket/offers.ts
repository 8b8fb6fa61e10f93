import type { Item } from '@switchyard/shared/item';
import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { itemJson, raw, readyNow } from '../domain/wire.ts';
import type { Hub } from '../hub.ts';
import type { Agents } from './agents.ts';
import type { LocalAgent } from './types.ts';

const agentsPerItemMax = 3;
const itemsPerScanMax = 200;
/** Between two looks while changes keep coming; the first after a quiet moment is immediate. */
const scanGapMs = 10;
/** Nobody claimed it: offer it again, to others first. */
const offerAgainMs = 1_000;

interface Ready {
  id: string;
  task_type: string | null;
  item: string;
}

/**
 * Who hears `item.available`: agents of this hub that have room and do that type of work, at most three to an item, in
 * turn, so that one item does not wake ten thousand. An offer is a hint; only the claim decides. Looks at what is ready
 * whenever something may have become so, or an agent came free.
 */
export class Offers {
  readonly #hub: Hub;
  readonly #agents: Agents;
  readonly #projects = new Map<string, { scanning: boolean; again: boolean; timer: NodeJS.Timeout | null }>();
  /** When each item was last offered, and to which sessions. */
  readonly #offered = new Map<string, { atMs: number; sessions: Set<string> }>();
  #turn = 0;
  #stopped = false;

  constructor(hub: Hub, agents: Agents) {
    this.#hub = hub;
    this.#agents = agents;
    hub.feed.onRows((projectId) => this.look(projectId));
  }

  /** Something may be ready for somebody in this project. */
  look(projectId: string): void {
    if (this.#stopped || withRoom(this.#agents.of(projectId)).length === 0) return;
    const state = this.#projects.get(projectId) ?? { scanning: false, again: false, timer: null };
    this.#projects.set(projectId, state);
    if (state.scanning) {
      state.again = true;
      return;
    }
    if (state.timer) clearTimeout(state.timer);
    state.timer = null;
    state.scanning = true;
    void this.#scan(projectId)
      .then((unclaimed) => {
        this.#later(projectId, state.again ? scanGapMs : unclaimed ? offerAgainMs : null);
      })
      .catch((error: unknown) => {
        this.#hub.log.debug({ err: error, projectId }, 'could not look for ready items');
        this.#later(projectId, offerAgainMs);
      });
  }

  stop(): void {
    this.#stopped = true;
    for (const { timer } of this.#projects.values()) if (timer) clearTimeout(timer);
  }

  #later(projectId: string, afterMs: number | null): void {
    const state = this.#projects.get(projectId)!;
    state.again = false;
    if (afterMs === null || this.#stopped) {
      this.#projects.delete(projectId);
      return;
    }
    // Stays "scanning" through the gap, so that changes in it share the next look.
    const wait = afterMs === scanGapMs;
    state.scanning = wait;
    state.timer = setTimeout(() => {
      state.scanning = false;
      state.timer = null;
      this.look(projectId);
    }, afterMs);
  }

  /** Offers what is ready; true when something was, so that it is offered again if nobody takes it. */
  async #scan(projectId: string): Promise<boolean> {
    const ready = await this.#hub.db.read((sql) => firstReady(sql, projectId, itemsPerScanMax));
    const agents = withRoom(this.#agents.of(projectId));
    if (ready.length === 0 || agents.length === 0) {
      if (this.#agents.of(projectId).size === 0) this.#offered.clear();
      return false;
    }
    const perItem = Math.max(1, Math.min(agentsPerItemMax, Math.ceil(agents.length / ready.length)));
    const room = new Map(agents.map((agent) => [agent, Math.max(1, agent.capacity - agent.held)]));
    for (const item of ready) {
      if (room.size === 0) break;
      this.#offer(item, agents, room, perItem);
    }
    this.#forget();
    return true;
  }

  #offer(item: Ready, agents: LocalAgent[], room: Map<LocalAgent, number>, perItem: number): void {
    const now = performance.now();
    const before = this.#offered.get(item.id);
    const fresh =
      before && now - before.atMs < offerAgainMs ? before : { atMs: now, sessions: new Set<string>() };
    let left = perItem - fresh.sessions.size;
    for (let step = 0; step < agents.length && left > 0; step++) {
      const agent = agents[(this.#turn + step) % agents.length]!;
      const places = room.get(agent);
      if (places === undefined || !does(agent, item.task_type) || fresh.sessions.has(agent.session.id))
        continue;
      agent.socket.emit('item.available', { item: raw<Item>(item.item) });
      fresh.sessions.add(agent.session.id);
      if (places > 1) room.set(agent, places - 1);
      else room.delete(agent);
      left--;
    }
    this.#turn = (this.#turn + 1) % 1_000_000;
    this.#offered.set(item.id, fresh);
  }

  #forget(): void {
    if (this.#offered.size < 10_000) return;
    const old = performance.now() - offerAgainMs;
    for (const [id, { atMs }] of this.#offered) if (atMs < old) this.#offered.delete(id);
  }
}

const withRoom = (agents: ReadonlySet<LocalAgent>) =>
  [...agents].filter((agent) => agent.connectedSeq !== null && agent.held < agent.capacity);

const does = ({ session }: LocalAgent, taskType: string | null) =>
  session.taskTypes === null || (taskType !== null && session.taskTypes.includes(taskType));

function firstReady(sql: Sql, projectId: string, limit: number): Promise<Ready[]> {
  return sql<Ready[]>`
    SELECT i.id, i.task_type, ${within(sql, itemJson)}::text AS item FROM work_items i
    WHERE i.project_id = ${projectId} AND i.status = 'todo' AND i.open_blockers = 0 AND ${within(sql, readyNow)}
    ORDER BY i.priority, i.number LIMIT ${limit}`;
}
