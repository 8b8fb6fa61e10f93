import type { Event } from '@switchyard/shared/item';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import { passes, type LogFilter } from '#lib/log/filter.ts';
import { SvelteMap } from 'svelte/reactivity';
import type { ProjectLive } from './project.svelte.ts';

/** The most that live rows come to: older ones are read again when they are scrolled to. */
const liveRowsMax = 500;
const pageSize = 200;
/** One wish for more asks at most this often: the hub looks through so many lines at a time, and a rare one may lie far back. */
const pagesMax = 20;

interface Name {
  number: number;
  title: string;
}
export type LogRow = Pick<Event, 'seq' | 'at' | 'type' | 'actor' | 'attempt' | 'item_id' | 'data'> & {
  name: Name | undefined;
};

/**
 * What of a project's log passes a filter, newest first: it grows at the top as things happen, unless it is held, and
 * at the bottom as it is asked for. `rows` are replaced, never changed. End it by `close`.
 */
export class ProjectLog {
  rows = $state.raw<readonly LogRow[]>([]);
  /** How many newer ones there are, which are not shown because it is held. */
  waiting = $state.raw(0);
  /** Being read: nothing moves. */
  held = $state.raw(false);
  loading = $state.raw(false);
  /** The beginning of the log is here. */
  complete = $state.raw(false);
  problem = $state.raw('');
  /** The log was read back to this line; those before it are not known. */
  readTo = $state.raw(0);
  readonly filter: LogFilter;
  readonly #live: ProjectLive;
  readonly #leave: () => void;
  readonly #asked = new Set<string>();
  readonly #names = new SvelteMap<string, Name>();
  #fresh: LogRow[] = [];
  /** The newest line that was looked at. */
  #head = 0;
  /** Raised when all begins anew: an answer to a question of before is of no use. */
  #turn = 0;
  #itemId: string | undefined;

  constructor(live: ProjectLive, filter: LogFilter = {}) {
    this.#live = live;
    this.filter = filter;
    this.#leave = live.onEvents((events) => this.#add(events));
    this.#restart();
  }

  close(): void {
    this.#turn++;
    this.#leave();
  }

  /** The project stands at this line: if the log is elsewhere (a new first window came), it is read anew. */
  follow(seq: number): void {
    if (seq !== this.#head) this.#restart();
  }

  hold(held: boolean): void {
    this.held = held;
    if (!held) this.apply();
  }

  /** Shows what waits. */
  apply(): void {
    if (this.#fresh.length === 0) return;
    // More than is kept: what lies between is read again when it is scrolled to.
    const rows = this.waiting > this.#fresh.length ? this.#fresh : [...this.#fresh, ...this.rows];
    this.rows = rows.slice(0, liveRowsMax);
    if (rows.length > this.rows.length || rows === this.#fresh) this.#forgetAfter(this.rows.at(-1)!.seq);
    this.#fresh = [];
    this.waiting = 0;
  }

  /** The number and title of what a line is about; asked for where the line itself does not say. */
  nameOf({ item_id, name }: LogRow): Name | undefined {
    return name ?? (item_id === null ? undefined : this.#names.get(item_id));
  }

  /** Finds out the name of an item, once. */
  async learnName({ item_id, name }: LogRow): Promise<void> {
    if (name || item_id === null || this.#asked.has(item_id)) return;
    this.#asked.add(item_id);
    try {
      const { item } = await this.#live.call('item.get', { id: item_id });
      this.#names.set(item_id, { number: item.number, title: item.title });
    } catch {
      // It stays without a name.
    }
  }

  /** Reads further back, until at least this many rows more are here. */
  async more(wanted = 100): Promise<void> {
    if (this.loading || this.complete || !this.#live.isLive) return;
    const turn = this.#turn;
    this.loading = true;
    try {
      await this.#readBack(turn, wanted);
      if (turn === this.#turn) this.problem = '';
    } catch (error) {
      if (turn === this.#turn) this.problem = error instanceof Error ? error.message : String(error);
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  #restart(): void {
    this.#turn++;
    this.#fresh = [];
    this.waiting = 0;
    this.rows = [];
    this.loading = this.complete = false;
    this.#head = this.#live.seq;
    this.readTo = this.#head + 1;
    void this.more();
  }

  async #readBack(turn: number, wanted: number): Promise<void> {
    const { type, agent, item } = this.filter;
    const fits = { ...(type && { type: [type] }), ...(agent && { agent }), ...(item && { item }) };
    let found = 0;
    for (let pages = 0; pages < pagesMax && found < wanted && !this.complete; pages++) {
      const from = { project: this.#live.ref, before: this.readTo, limit: pageSize };
      const { events, next_before } = await this.#live.call('project.events', { ...from, ...fits });
      if (turn !== this.#turn) return;
      if (item !== undefined) this.#itemId ??= events[0]?.item_id ?? undefined;
      if (events.length > 0) this.rows = [...this.rows, ...events.map((event) => this.#row(event))];
      found += events.length;
      this.readTo = next_before ?? 1;
      this.complete = this.readTo <= 1;
    }
  }

  /** Lines that have come just now. */
  #add(events: readonly ProjectEvent[]): void {
    const [first] = events;
    if (!first) return;
    if (first.seq !== this.#head + 1) return this.#restart();
    this.#head = events.at(-1)!.seq;
    const fresh = this.#select(events);
    if (fresh.length === 0) return;
    this.#fresh = [...fresh, ...this.#fresh].slice(0, liveRowsMax);
    this.waiting += fresh.length;
    if (!this.held && !this.#live.paused) this.apply();
  }

  #select(events: readonly ProjectEvent[]): LogRow[] {
    const { filter } = this;
    const sessions = new Set<string>();
    for (const agent of this.#live.agentsNow)
      if (agent.agent_id === filter.agent) sessions.add(agent.session_id);
    const isIts = (event: ProjectEvent) =>
      filter.item === undefined || event.item?.number === filter.item || event.item_id === this.#itemId;
    return events
      .filter((event) => isIts(event) && passes(filter, event, sessions))
      .map((event) => this.#row(event))
      .reverse();
  }

  #row({ seq, at, type, actor, attempt, item_id, data, item }: ProjectEvent): LogRow {
    const known = item ?? (item_id === null ? undefined : this.#live.store.get(item_id));
    const name = known && { number: known.number, title: known.title };
    return { seq, at, type, actor, attempt, item_id, data, name };
  }

  /** Rows after this line were dropped, or were never kept. */
  #forgetAfter(seq: number): void {
    this.#turn++;
    this.loading = false;
    this.complete = false;
    this.readTo = seq;
  }
}
