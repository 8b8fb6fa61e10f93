import type { AgentInfo, Progress } from '@switchyard/shared/agent';
import type { WireError } from '@switchyard/shared/errors';
import type { ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { listEvents } from '#lib/api.ts';
import { openSocket } from './socket.ts';
import { ProjectWatch, type LiveState, type Sink } from './watch.ts';

export const logRows = 500;

export interface LogRow {
  seq: number;
  at: string;
  type: string;
  actor: string;
  number?: number;
  title?: string;
}

/** What the page shows of one project. Raw state: rows are replaced, never changed. */
export class Board implements Sink {
  readonly project: string;
  live = $state.raw<LiveState>('connecting');
  refusal = $state.raw<WireError>();
  seq = $state.raw(0);
  progressNow = $state.raw<Progress>();
  agentsNow = $state.raw<AgentInfo[]>([]);
  log = $state.raw<LogRow[]>([]);
  readonly #watch: ProjectWatch;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- looked up when a row is made, never shown
  readonly #items = new Map<string, { number: number; title: string }>();
  #fresh: LogRow[] = [];
  #frame = 0;
  #snapshotSeq = 0;

  constructor(project: string) {
    this.project = project;
    this.#watch = new ProjectWatch(openSocket(), project, this);
  }

  start(): void {
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
    cancelAnimationFrame(this.#frame);
  }

  state(state: LiveState): void {
    this.live = state;
  }

  progress(progress: Progress): void {
    this.progressNow = progress;
  }

  agents(agents: AgentInfo[]): void {
    this.agentsNow = agents;
  }

  refused(error: WireError): void {
    this.refusal = error;
  }

  snapshot(snapshot: Snapshot): void {
    for (const { id, number, title } of snapshot.items) this.#items.set(id, { number, title });
    this.seq = this.#snapshotSeq = snapshot.seq;
    this.progressNow = snapshot.progress;
    this.agentsNow = snapshot.agents;
    this.#fresh = [];
    this.log = [];
    void this.#readBack(snapshot.seq);
  }

  events(events: ProjectEvent[]): void {
    for (const event of events) this.#fresh.push(this.#row(event));
    if (this.#fresh.length > logRows) this.#fresh.splice(0, this.#fresh.length - logRows);
    // Once per frame, however many came. A hidden page has no frames, and loses only rows past the bound.
    this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  #show(): void {
    this.#frame = 0;
    const fresh = this.#fresh.reverse();
    this.#fresh = [];
    this.seq = fresh[0]?.seq ?? this.seq;
    this.log = [...fresh, ...this.log].slice(0, logRows);
  }

  /** A snapshot has no past: the newest rows before it come from the log. */
  async #readBack(seq: number): Promise<void> {
    const past = await listEvents(this.project, Math.max(0, seq - logRows), logRows).catch(() => []);
    if (seq !== this.#snapshotSeq) return;
    const oldest = this.log.at(-1)?.seq ?? Infinity;
    const rows = past
      .filter((event) => event.seq <= seq && event.seq < oldest)
      .map((event) => this.#row(event));
    this.log = [...this.log, ...rows.reverse()].slice(0, logRows);
  }

  #row({ seq, at, type, actor, item, item_id }: ProjectEvent): LogRow {
    if (item) this.#items.set(item.id, { number: item.number, title: item.title });
    const known = item_id ? this.#items.get(item_id) : undefined;
    return { seq, at, type, actor, number: known?.number, title: known?.title };
  }
}
