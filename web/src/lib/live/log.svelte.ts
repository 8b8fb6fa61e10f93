import type { EventType } from '@switchyard/shared/item';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import type { ProjectLive } from './project.svelte.ts';

const logRows = 500;
const eventsMax = 1_000;
const namesMax = 5_000;

export interface LogRow {
  seq: number;
  at: string;
  type: EventType;
  actor: string;
  attempt: number | null;
  data: Record<string, unknown>;
  number?: number;
  title?: string;
}

/** The newest rows of a project's log, newest first; `rows` are replaced, never changed. */
export class ProjectLog {
  rows = $state.raw<readonly LogRow[]>([]);
  problem = $state.raw('');
  readonly #live: ProjectLive;
  readonly #leave: () => void;

  readonly #names = new Map<string, { number: number; title: string }>();

  constructor(live: ProjectLive) {
    this.#live = live;
    this.#leave = live.onEvents((events) => this.#add(events));
  }

  /** Reads what was there before: a watch begins at the present. */
  async readBack(): Promise<void> {
    const { seq, name } = this.#live;
    try {
      const after = Math.max(0, seq - logRows);
      const { events } = await this.#live.call('project.events', { project: name, after, limit: eventsMax });
      const newest = this.rows[0]?.seq ?? 0;
      const known = new Set(this.rows.map((row) => row.seq));
      const past = events.filter((event) => !known.has(event.seq) && (newest === 0 || event.seq < newest));
      const rows = past.map((event) => this.#row(event)).reverse();
      this.rows = [...this.rows, ...rows].slice(0, logRows);
      this.problem = '';
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
  }

  close(): void {
    this.#leave();
  }

  #add(events: readonly ProjectEvent[]): void {
    const fresh = events.slice(-logRows).map((event) => this.#row(event));
    this.rows = [...fresh.reverse(), ...this.rows].slice(0, logRows);
  }

  #row({ seq, at, type, actor, attempt, data, item, item_id }: ProjectEvent): LogRow {
    const known = item ?? (item_id ? (this.#live.store.get(item_id) ?? this.#names.get(item_id)) : undefined);
    const name = known && { number: known.number, title: known.title };
    if (item_id && name) {
      if (this.#names.size > namesMax) this.#names.clear();
      this.#names.set(item_id, name);
    }
    return { seq, at, type, actor, attempt, data, ...name };
  }
}
