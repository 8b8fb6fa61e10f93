import type { EventType, Item } from '@switchyard/shared/item';
import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import type { LogRow } from '../domain/journal.ts';
import { isReady, itemJson, raw } from '../domain/wire.ts';
import type { Hub } from '../hub.ts';
import type { Agents } from './agents.ts';
import type { LocalAgent } from './types.ts';

const agentsPerItemMax = 3;
const itemsPerScanMax = 200;
/** Between two looks while changes keep coming; the first after a quiet moment is immediate. */
const scanGapMs = 10;
/** Nobody claimed it: offer it again, to others first. */
const offerAgainMs = 1_000;

/** What may make an item ready, and what leaves its holder with room. */
export const bringsItems = new Set<EventType>([
  'item.created',
  'item.updated',
  'item.released',
  'item.requeued',
  'item.retried',
  'item.cancelled',
  'conflict.resolved',
  'project.updated',
]);
const freesAgents = new Set<EventType>(['item.completed', 'item.failed']);
/** An agent that has just finished mostly asks for its next item in the same breath, and is then not free at all. */
const settleMs = 4;

/** When to look again: who is in the middle of something may be free in a moment; an offer may be left lying. */
const lookAfterMs = { unsettled: scanGapMs, offered: offerAgainMs, nothing: null };

interface State {
  scanning: boolean;
  again: boolean;
  /** The timer is for a look in a moment, which nothing puts off. */
  soon: boolean;
  timer: NodeJS.Timeout | null;
}

interface Ready {
  id: string;
  task_type: string | null;
}

/**
 * Who hears `item.available`: agents of this hub that have room and do that type of work, at most three to an item, in
 * turn, so that one item does not wake ten thousand. An offer is a hint; only the claim decides. Looks at what is ready
 * whenever something may have become so, or an agent came free.
 */
export class Offers {
  readonly #hub: Hub;
  readonly #agents: Agents;
  readonly #projects = new Map<string, State>();
  /** To whom each item was offered last, and when. */
  readonly #offered = new Map<string, Map<LocalAgent, number>>();
  #forgotAtMs = 0;
  #stopped = false;

  constructor(hub: Hub, agents: Agents) {
    this.#hub = hub;
    this.#agents = agents;
    hub.feed.onRows((projectId, rows) => {
      if (rows.every((row) => row.type === 'item.created')) return this.#offerNew(projectId, rows);
      if (rows.some((row) => row.type !== null && bringsItems.has(row.type))) this.look(projectId);
      else if (rows.some((row) => row.type !== null && freesAgents.has(row.type)))
        this.look(projectId, settleMs);
    });
  }

  /** Something may be ready for somebody in this project: look now, or in a moment. */
  look(projectId: string, inMs = 0): void {
    if (this.#stopped || !someHasRoom(this.#agents.of(projectId))) return;
    const state: State = this.#projects.get(projectId) ?? {
      scanning: false,
      again: false,
      soon: false,
      timer: null,
    };
    this.#projects.set(projectId, state);
    if (state.scanning) {
      state.again = true;
      return;
    }
    if (inMs > 0 && state.soon) return;
    if (state.timer) clearTimeout(state.timer);
    state.soon = inMs > 0;
    if (inMs > 0) {
      state.timer = setTimeout(() => {
        state.soon = false;
        this.look(projectId);
      }, inMs);
      return;
    }
    state.timer = null;
    state.scanning = true;
    void this.#scan(projectId)
      .then((found) => {
        this.#later(projectId, state.again ? scanGapMs : lookAfterMs[found]);
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

  /** A new item comes with all there is to know of it: whoever is idle hears of it without another look. */
  #offerNew(projectId: string, rows: readonly LogRow[]): void {
    const room = roomsOf(idle(withRoom(this.#agents.of(projectId))));
    for (const { item } of rows) {
      if (room.size === 0) break;
      const offered = raw<Item>(item!);
      if (!offered.ready) continue;
      for (const agent of this.#choose(offered, room, 1))
        agent.socket.emit('item.available', { item: offered });
    }
    this.look(projectId, settleMs);
  }

  /** Offers what is ready to whoever is idle. */
  async #scan(projectId: string): Promise<keyof typeof lookAfterMs> {
    this.#forget();
    const free = withRoom(this.#agents.of(projectId));
    if (free.length > 0 && idle(free).length === 0) return 'unsettled';
    const ready = await this.#hub.db.read((sql) => firstReady(sql, projectId, free));
    const agents = idle(withRoom(this.#agents.of(projectId)));
    if (this.#agents.of(projectId).size === 0) this.#offered.clear();
    if (ready.length === 0 || free.length === 0) return 'nothing';
    if (agents.length === 0) return 'unsettled';
    const room = roomsOf(agents);
    // Different items to different agents first; who is left over then hears what others have heard.
    const fair = Math.min(agentsPerItemMax, Math.ceil(agents.length / ready.length));
    const chosen: { id: string; agent: LocalAgent }[] = [];
    for (const most of new Set([fair, agentsPerItemMax])) {
      for (const item of ready) {
        if (room.size === 0) break;
        for (const agent of this.#choose(item, room, most)) chosen.push({ id: item.id, agent });
      }
    }
    await this.#tell(chosen);
    return agents.length < free.length ? 'unsettled' : 'offered';
  }

  /** Only what is offered is read whole: of what is ready that is little, while many are between two claims. */
  async #tell(chosen: readonly { id: string; agent: LocalAgent }[]): Promise<void> {
    if (chosen.length === 0) return;
    const items = await this.#hub.db.read((sql) => itemsById(sql, [...new Set(chosen.map(({ id }) => id))]));
    for (const { id, agent } of chosen) {
      const item = items.get(id);
      if (item?.ready && agent.held.size < agent.capacity) agent.socket.emit('item.available', { item });
    }
  }

  /** Who hears of an item, at most so many: those whose turn it is. */
  #choose(item: Ready, room: Map<LocalAgent, number>, most: number): LocalAgent[] {
    const now = performance.now();
    const standing = this.#standing(item.id, now);
    const chosen: LocalAgent[] = [];
    for (const [agent, places] of room) {
      if (standing.size >= most) break;
      if (standing.has(agent) || !does(agent, item.task_type)) continue;
      chosen.push(agent);
      standing.set(agent, now);
      this.#agents.moveBack(agent);
      if (places > 1) room.set(agent, places - 1);
      else room.delete(agent);
    }
    return chosen;
  }

  /** The offers of an item that an agent may still take up. One that has worked since, or is busy, had its chance. */
  #standing(id: string, now: number): Map<LocalAgent, number> {
    const offers = this.#offered.get(id) ?? new Map<LocalAgent, number>();
    this.#offered.set(id, offers);
    for (const [agent, atMs] of offers) {
      const stands =
        now - atMs < offerAgainMs && atMs >= agent.freeSinceMs && agent.held.size < agent.capacity;
      if (!stands || !agent.socket.connected) offers.delete(agent);
    }
    return offers;
  }

  /** Now and then, lest agents that are gone stay in memory for what they were offered. */
  #forget(): void {
    const now = performance.now();
    if (now - this.#forgotAtMs < offerAgainMs) return;
    this.#forgotAtMs = now;
    for (const id of this.#offered.keys()) if (this.#standing(id, now).size === 0) this.#offered.delete(id);
  }
}

const hasRoom = (agent: LocalAgent) => agent.unsaid === null && agent.held.size < agent.capacity;
function someHasRoom(agents: ReadonlySet<LocalAgent>): boolean {
  for (const agent of agents) if (hasRoom(agent)) return true;
  return false;
}
const withRoom = (agents: ReadonlySet<LocalAgent>) => [...agents].filter(hasRoom);

/** Those who wait for nothing of ours: an agent with a command under way is likely to be claiming. */
function idle(agents: readonly LocalAgent[]): LocalAgent[] {
  const since = performance.now() - settleMs;
  return agents.filter(({ socket, freeSinceMs }) => socket.data.inFlight === 0 && freeSinceMs <= since);
}

/** How many claims each of them has room for. */
const roomsOf = (agents: readonly LocalAgent[]) =>
  new Map(agents.map((agent) => [agent, agent.capacity - agent.held.size]));

const does = ({ session }: LocalAgent, taskType: string | null) =>
  session.taskTypes === null || (taskType !== null && session.taskTypes.includes(taskType));

/** The first items that are ready for these agents: some more than they have room for, as some are offered already. */
function firstReady(sql: Sql, projectId: string, agents: readonly LocalAgent[]): Promise<Ready[]> {
  const places = agents.reduce((sum, agent) => sum + agent.capacity - agent.held.size, 0);
  const limit = Math.min(itemsPerScanMax, 2 * places + 10);
  const types = agents.some(({ session }) => session.taskTypes === null)
    ? null
    : [...new Set(agents.flatMap(({ session }) => session.taskTypes ?? []))];
  return sql<Ready[]>`
    SELECT i.id, i.task_type FROM work_items i
    WHERE i.project_id = ${projectId} AND ${isReady(sql, projectId)}
      AND (${types}::text[] IS NULL OR i.task_type = ANY(${types}::text[]))
    ORDER BY i.priority, i.number LIMIT ${limit}`;
}

async function itemsById(sql: Sql, ids: string[]): Promise<Map<string, Item>> {
  const rows = await sql<{ id: string; item: string }[]>`
    SELECT i.id, ${within(sql, itemJson)}::text AS item FROM work_items i WHERE i.id = ANY(${ids})`;
  return new Map(rows.map(({ id, item }) => [id, raw<Item>(item)]));
}
