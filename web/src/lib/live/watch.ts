import type { AgentInfo, Progress } from '@switchyard/shared/agent';
import type { WireError } from '@switchyard/shared/errors';
import type { CatchUp, ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import { ask, type HubSocket } from './socket.ts';

export type LiveState = 'connecting' | 'catching_up' | 'live' | 'reconnecting' | 'offline';

/** Where a watched project goes. Events arrive in the order of `seq`, each once, without gaps. */
export interface Sink {
  state(state: LiveState): void;
  snapshot(snapshot: Snapshot): void;
  events(events: ProjectEvent[]): void;
  progress(progress: Progress): void;
  agents(agents: AgentInfo[]): void;
  /** The hub will not let us watch, and asking again would not help. */
  refused(error: WireError): void;
}

const watchAgainMs = 500;
const offlineAfterMs = 15_000;
/** What may wait for an answer; what is dropped past it is a gap, and gaps are healed. */
const earlyMax = 5_000;

/**
 * Watches one project over one socket, through reconnects and gaps: the log is read again from the last
 * `seq` seen, and the hub answers with a snapshot where it no longer reaches back that far.
 */
export class ProjectWatch {
  readonly #socket: HubSocket;
  readonly #project: string;
  readonly #sink: Sink;
  /** Once it is known, the project is asked for by it: a name may change. */
  #projectId = '';
  #lastSeq: number | undefined;
  /** Asked to watch, and not yet answered: events wait. */
  #asking = false;
  #askedAt = -Infinity;
  #early: ProjectEvent[] = [];
  #wasLive = false;
  #offlineTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: HubSocket, project: string, sink: Sink) {
    this.#socket = socket;
    this.#project = project;
    this.#sink = sink;
  }

  start(): void {
    const socket = this.#socket;
    socket.on('connect', () => this.#connected());
    socket.on('disconnect', () => this.#lost());
    socket.on('connect_error', (error) => this.#lost((error as { data?: WireError }).data));
    socket.on('project.event', (event) => this.#receive(event));
    socket.on('project.progress', ({ project_id, progress }) => {
      if (project_id === this.#projectId) this.#sink.progress(progress);
    });
    socket.on('project.agents', ({ project_id, agents }) => {
      if (project_id === this.#projectId) this.#sink.agents(agents);
    });
    this.#waiting('connecting');
    socket.connect();
  }

  stop(): void {
    clearTimeout(this.#offlineTimer);
    clearTimeout(this.#retryTimer);
    this.#socket.off();
    this.#socket.disconnect();
  }

  #connected(): void {
    clearTimeout(this.#offlineTimer);
    this.#offlineTimer = undefined;
    this.#sink.state('catching_up');
    void this.#watch();
  }

  async #watch(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    this.#early = [];
    // A hub that skips numbers must not be asked once per event.
    const wait = this.#askedAt + watchAgainMs - performance.now();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    this.#askedAt = performance.now();
    const after = this.#lastSeq;
    try {
      const project = this.#projectId || this.#project;
      const answer = await ask(this.#socket, 'project.watch', { project, after });
      this.#asking = false;
      if (answer.ok) this.#take(answer.result);
      else if (answer.error.code === 'NOT_FOUND' && this.#projectId) this.#startAnew();
      else this.#refuse(answer.error);
    } catch {
      // No answer. A closed socket asks again when it is back; one that is open asks now.
      this.#asking = false;
      if (this.#socket.connected) void this.#watch();
    }
  }

  #take(answer: Snapshot | CatchUp): void {
    const seen = this.#lastSeq ?? 0;
    if ('items' in answer) {
      this.#projectId = answer.project.id;
      this.#sink.snapshot(answer);
    } else if (answer.seq < seen) {
      // The log is shorter than what we saw of it: a database put back from a backup.
      return this.#startAnew();
    } else {
      this.#sink.events(answer.events.filter((event) => event.seq > seen));
      void this.#refresh();
    }
    this.#lastSeq = answer.seq;
    this.#wasLive = true;
    this.#sink.state('live');
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#receive(event);
  }

  /** As if nothing were known: by the name, which may be another project's by now. */
  #startAnew(): void {
    this.#projectId = '';
    this.#lastSeq = undefined;
    void this.#watch();
  }

  #receive(event: ProjectEvent): void {
    if (this.#asking || this.#lastSeq === undefined) {
      if (this.#early.length < earlyMax) this.#early.push(event);
      return;
    }
    if (event.project_id !== this.#projectId || event.seq <= this.#lastSeq) return;
    if (event.seq > this.#lastSeq + 1) {
      void this.#watch();
      return;
    }
    this.#lastSeq = event.seq;
    this.#sink.events([event]);
  }

  /** A catch-up brings events only; what is derived from them is asked for. */
  async #refresh(): Promise<void> {
    const project = { project: this.#projectId };
    try {
      const [progress, agents] = await Promise.all([
        ask(this.#socket, 'project.progress', project),
        ask(this.#socket, 'project.agents', project),
      ]);
      if (progress.ok) this.#sink.progress(progress.result.progress);
      if (agents.ok) this.#sink.agents(agents.result.agents);
    } catch {
      // The next change brings both.
    }
  }

  /** Not connected, for now. Socket.IO tries again by itself, except where the hub closed or refused. */
  #lost(error?: WireError): void {
    if (error && isFinal(error)) return this.#refuse(error);
    this.#waiting(this.#wasLive ? 'reconnecting' : 'connecting');
    const { active, connected } = this.#socket;
    if (!active && !connected) this.#later(() => this.#socket.connect(), error);
  }

  #waiting(state: LiveState): void {
    if (this.#offlineTimer !== undefined) return;
    this.#sink.state(state);
    const patience = navigator.onLine === false ? 0 : offlineAfterMs;
    this.#offlineTimer = setTimeout(() => this.#sink.state('offline'), patience);
  }

  #refuse(error: WireError): void {
    if (!isFinal(error)) return this.#later(() => void this.#watch(), error);
    this.stop();
    this.#sink.refused(error);
  }

  #later(then: () => void, error?: WireError): void {
    const asked = Number(error?.details?.retry_after_ms);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(then, asked > 0 ? Math.min(asked, 30_000) : 2_000);
  }
}

/** Refusals that the same question would meet again; all others pass. */
const final = new Set<WireError['code']>(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'VALIDATION']);

function isFinal({ code }: WireError): boolean {
  return final.has(code);
}
