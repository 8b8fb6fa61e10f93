import type { AgentInfo, Progress } from '@switchyard/shared/agent';
import type { CommandInput, CommandName, CommandOutput } from '@switchyard/shared/commands';
import type { WireError } from '@switchyard/shared/errors';
import type { ConflictPair, Item } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import type { Project } from '@switchyard/shared/project';
import type { ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { currentTime, setHubTime } from '#lib/ui/clock.svelte.ts';
import { getContext, setContext } from 'svelte';
import { callHub } from './commands.ts';
import { Conflicts } from './conflicts.ts';
import type { Filter, Sort } from './matching.ts';
import { LiveQuery } from './query.svelte.ts';
import { Readiness } from './readiness.ts';
import { openSocket, type HubSocket } from './socket.ts';
import { ItemStore } from './store.ts';
import { ProjectWatch, type LiveState, type Sink } from './watch.ts';

/** Above this many changes a second nothing is tinted any more. */
const calmMax = 20;
/** A frame that has not come by then is not waited for. */
const lateMs = 1_000;

/**
 * One project, live: what the screens show is read from here. Items lie in a plain Map (`store`); what is shown of
 * them is raw state that is replaced at most once a frame. Events arrive in order, each once (see ProjectWatch).
 */
export class ProjectLive implements Sink {
  /** How addresses name it: as this one did, or by its present name when it has been renamed. */
  readonly name = $derived.by(() => {
    const { project } = this;
    return project === undefined || project.id === this.#asked ? this.#asked : project.name;
  });
  /** What the hub is asked by: its id once that is known, which stays whatever it is called. */
  ref: string;
  readonly store = new ItemStore();
  connection = $state.raw<LiveState>('connecting');
  /** The hub will not let us watch. */
  refusal = $state.raw<WireError>();
  /** Until when what is shown was certainly current, in ms since the epoch; 0 while nothing is shown. */
  freshUntil = $state.raw(0);
  seq = $state.raw(0);
  project = $state.raw<Project>();
  progressNow = $state.raw<Progress>();
  agentsNow = $state.raw<readonly AgentInfo[]>([]);
  readonly #holders = $derived(
    new Map(this.agentsNow.flatMap((agent) => agent.claims.map(({ item_id }) => [item_id, agent] as const))),
  );
  conflicts = $state.raw<readonly ConflictPair[]>([]);
  conflictsOf = $state.raw<ReadonlyMap<string, ConflictPair[]>>(new Map());
  /** More change than the eye can follow: no tints. */
  busy = $state.raw(false);
  /** Everything holds still until it is ended. */
  paused = $state.raw(false);
  /** Raised by every first window: what was asked before it is of another time. */
  epoch = 0;
  /** Raised by every frame in which an item changed. */
  #frame = $state.raw(0);
  /** Name or id. */
  readonly #asked: string;
  readonly #watch: ProjectWatch;
  readonly #socket: HubSocket;
  readonly #conflicts = new Conflicts();
  readonly #readiness = new Readiness(this);
  /** No state: what a page writes while it is being prepared may be lost when another takes its place. */
  readonly #queries = new Set<LiveQuery>();
  readonly #listeners = new Set<(events: readonly ProjectEvent[]) => void>();
  /** As the hub sent it, while nothing of it has been dropped: a screen that opens now need not ask. */
  #firstWindow: readonly Item[] | undefined;
  #fresh: ProjectEvent[] = [];
  #frameAsked: number | undefined;
  #late: ReturnType<typeof setTimeout> | undefined;
  #lately: number[] = [];

  /** All that failed: the hub sends them all, and they need a person. */
  readonly failed: LiveQuery;

  constructor(asked: string) {
    this.ref = this.#asked = asked;
    this.#socket = openSocket();
    this.#watch = new ProjectWatch(this.#socket, asked, this);
    this.failed = this.query({ status: ['failed'] }, 'priority');
  }

  get isLive(): boolean {
    return this.connection === 'live';
  }

  start(): void {
    this.#watch.start();
  }

  stop(): void {
    if (this.isLive) this.freshUntil = currentTime();
    this.#watch.stop();
    this.#readiness.stop();
    this.#unschedule();
  }

  /** A command; throws a HubError with the hub's own words. */
  call<K extends CommandName>(name: K, input: CommandInput<K>): Promise<CommandOutput<K>> {
    return callHub(this.#socket, name, input);
  }

  /** A list that stays live; `close` it when it is not shown any more. */
  query(filter: Filter, sort: Sort): LiveQuery {
    const query = new LiveQuery(this, filter, sort);
    this.#queries.add(query);
    if (this.#firstWindow) query.seed(this.#firstWindow, limits.watchWindow);
    query.changed();
    return query;
  }

  forget(query: LiveQuery): void {
    this.#queries.delete(query);
  }

  /** How many rows of all lists would move if nothing were held. */
  get waiting(): number {
    // Which lists there are is looked at again with every frame.
    void this.#frame;
    return [...this.#queries].reduce((sum, query) => sum + query.waiting, 0);
  }

  /** Shows what waits, in all lists. */
  apply(): void {
    for (const query of this.#queries) query.apply();
  }

  pause(paused: boolean): void {
    this.paused = paused;
    if (!paused) this.apply();
  }

  /** An item as it stands now, if it is known; read in a template it stays current. */
  item(id: string): Item | undefined {
    void this.#frame;
    return this.store.get(id);
  }

  /** The run of an agent that holds an item; several may go by one name. */
  holderOf({ id, status, assigned_agent_id }: Item): AgentInfo | undefined {
    if (status !== 'claimed') return undefined;
    // The list of agents comes a little after the claim: until then one of that name, first those that are connected.
    return this.#holders.get(id) ?? this.agentsNow.find(({ agent_id }) => agent_id === assigned_agent_id);
  }

  itemByNumber(number: number): Item | undefined {
    void this.#frame;
    return this.store.byNumber(number);
  }

  /** A copy that an answer brought; an older one than is known is passed over. */
  learn(item: Item): void {
    if (this.store.put(item)) this.refresh();
  }

  /** Something of the store has changed: it is shown with the next frame. */
  refresh(): void {
    this.#soon();
  }

  /** The project's own count of what a filter asks for, where it has one: of all, of statuses, of what is ready or not. */
  countsOf({ status, ready, ...rest }: Filter): number | undefined {
    const progress = this.progressNow;
    const narrowed = Object.values(rest).some((value) => value !== undefined);
    if (!progress || narrowed) return undefined;
    if (ready === undefined)
      return status ? status.reduce((sum, one) => sum + progress[one], 0) : progress.total;
    if (status?.join() !== 'todo') return undefined;
    return ready ? progress.ready : progress.todo - progress.ready;
  }

  /** Hears the log from now on, a frame's events at a time; returns how to end that. */
  onEvents(listener: (events: readonly ProjectEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  state(state: LiveState): void {
    if (this.isLive && state !== 'live') this.freshUntil = currentTime();
    this.connection = state;
    if (state === 'live') for (const query of this.#queries) query.changed();
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
    setHubTime(snapshot.server_time);
    this.epoch++;
    this.#fresh = [];
    this.#firstWindow = snapshot.items;
    this.store.replace(snapshot.items);
    this.#conflicts.replace(snapshot.conflicts);
    this.#showConflicts();
    this.seq = snapshot.seq;
    this.project = snapshot.project;
    this.ref = snapshot.project.id;
    this.progressNow = snapshot.progress;
    this.agentsNow = snapshot.agents;
    this.#frame++;
    this.freshUntil = currentTime();
    for (const query of this.#queries) query.seed(snapshot.items, limits.watchWindow);
    for (const query of this.#queries) query.changed();
  }

  events(events: ProjectEvent[]): void {
    for (const event of events) {
      if (event.item) this.store.put(event.item);
      this.#fresh.push(event);
    }
    this.#soon();
  }

  /** Once a frame, however many came. A page that is hidden, if only since then, has no frames, and must not hoard. */
  #soon(): void {
    if (this.#frameAsked !== undefined) return;
    this.#frameAsked = requestAnimationFrame(() => this.#show());
    this.#late = setTimeout(() => this.#show(), lateMs);
  }

  #unschedule(): void {
    if (this.#frameAsked !== undefined) cancelAnimationFrame(this.#frameAsked);
    clearTimeout(this.#late);
    this.#frameAsked = undefined;
  }

  #show(): void {
    this.#unschedule();
    const events = this.#fresh;
    this.#fresh = [];
    this.#measure(events.length);
    this.seq = events.at(-1)?.seq ?? this.seq;
    let conflictsChanged = false;
    for (const event of events) {
      conflictsChanged = this.#conflicts.apply(event) || conflictsChanged;
      if (event.type === 'project.updated' && this.project)
        this.project = { ...this.project, ...(event.data as Partial<Project>) };
    }
    if (conflictsChanged) this.#showConflicts();
    this.#frame++;
    for (const query of this.#queries) query.changed();
    for (const listener of this.#listeners) listener(events);
    this.#readiness.after(events);
    this.#firstWindow = undefined;
    this.store.sweep();
  }

  #showConflicts(): void {
    this.conflicts = this.#conflicts.list();
    this.conflictsOf = this.#conflicts.byItem();
  }

  #measure(changes: number): void {
    const now = performance.now();
    this.#lately = this.#lately.filter((at) => now - at < 1_000);
    for (let n = 0; n < Math.min(changes, calmMax + 1); n++) this.#lately.push(now);
    this.busy = this.#lately.length > calmMax;
  }
}

const key = Symbol('project');

export function provideProject(live: () => ProjectLive): void {
  setContext(key, live);
}

/** The project whose screens these are; a function, because the address may change to another. */
export function useProject(): () => ProjectLive {
  return getContext<() => ProjectLive>(key);
}
