import { setTimeout as sleep } from 'node:timers/promises';
import type { Call } from '../call.ts';
import { Misuse } from '../command.ts';
import { connect, type HubClient } from '../client.ts';
import type { HubAddress } from '../hub-address.ts';
import { Split, type Handler } from '../work/context.ts';
import type { Worker, WorkStats } from '../work/options.ts';
import { Brake } from './brake.ts';
import type { RunConsole } from './console.ts';
import { sayDuration } from './duration.ts';
import { isIdle } from './idle.ts';
import { itemHandler, type ItemHandlerOptions, type Trouble } from './item-handler.ts';
import { Narrator, sayTotals } from './narrator.ts';

/** As long as a timer of Node can be: what is under way may finish, however long it takes. */
const foreverMs = 2 ** 31 - 1;
const lookMs = 500;
/** What is asked of the hub after the command was ended: to give the item back. */
const farewellMs = 10_000;

export interface RunnerOptions extends Omit<ItemHandlerOptions, 'onTrouble' | 'onEnd'> {
  hub: HubAddress;
  concurrency: number;
  taskTypes: readonly string[];
  maxItems: number;
  exitWhenIdle: boolean;
  /** Runs once the hub is reached, before anything is claimed. */
  prepare: (client: HubClient) => Promise<void>;
}

/** How a runner is to stop: let what is under way finish, or end it and give it back. */
export type Stop = 'drain' | 'now';

/** Claims items and runs a command for each, until it is told to stop or there is nothing left to do. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #console: RunConsole;
  readonly #brake = new Brake();
  #client!: HubClient;
  #worker: Worker | null = null;
  #started = 0;
  #pauseMs = 0;
  #stop: Stop | null = null;
  readonly #stopped = new AbortController();
  #broken: string | null = null;
  readonly #totals: WorkStats[] = [];
  readonly #startedAt = performance.now();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#console = options.console;
  }

  /**
   * Runs to the end and answers with what became of the items. Throws the hub's `Refusal` when it lets this runner in no
   * more, and `Misuse` when the command cannot be run.
   */
  async run(): Promise<WorkStats> {
    const { hub, project, agent, concurrency, taskTypes } = this.#options;
    const capacity = Math.min(concurrency, this.#options.maxItems);
    const types = taskTypes.length > 0 ? { taskTypes: [...taskTypes] } : {};
    this.#client = await connect({ ...hub, project, agentId: agent, capacity, ...types });
    const narrator = new Narrator(this.#client, this.#console);
    try {
      await this.#options.prepare(this.#client);
      narrator.greet(this.#options);
      if (this.#options.exitWhenIdle) void this.#stopWhenIdle();
      while (this.#stop === null) await this.#workUntilStopped(capacity, narrator);
      this.#console.say(
        `Ended. ${sayTotals(this.stats)} in ${sayDuration(performance.now() - this.#startedAt)}.`,
      );
    } finally {
      narrator.close();
      await this.#client.close();
    }
    if (this.#broken !== null) throw new Misuse(this.#broken);
    return this.stats;
  }

  /** What became of the items so far. */
  get stats(): WorkStats {
    const sum = { claimed: 0, completed: 0, failed: 0, released: 0, cancelled: 0, lost: 0, running: 0 };
    for (const stats of this.#totals)
      for (const name of Object.keys(sum) as (keyof WorkStats)[]) sum[name] += stats[name];
    return sum;
  }

  /** How many items are under way. */
  get running(): number {
    return this.stats.running;
  }

  /** Takes nothing new; may be called again to hurry. */
  stop(how: Stop): void {
    if (this.#stop !== 'now') this.#stop = how;
    this.#stopped.abort();
    this.#closeWorker();
  }

  async #workUntilStopped(concurrency: number, narrator: Narrator): Promise<void> {
    const worker = this.#client.work(this.#handler(), {
      concurrency,
      drainMs: foreverMs,
      stopMs: this.#options.graceMs + farewellMs,
      onEvent: (event) => narrator.tell(event),
      onLost: (lost) => narrator.tellLost(lost),
    });
    this.#worker = worker;
    this.#totals.push(worker.stats);
    try {
      await worker.closed;
    } finally {
      this.#worker = null;
    }
    if (this.#stop !== null || this.#pauseMs === 0) return;
    this.#console.say(`Taking nothing for ${sayDuration(this.#pauseMs)}.`);
    await sleep(this.#pauseMs, undefined, { signal: this.#stopped.signal }).catch(() => {}); // told to stop
    this.#pauseMs = 0;
  }

  #handler(): Handler {
    const handle = itemHandler({
      ...this.#options,
      onTrouble: (trouble) => this.#take(trouble),
      onEnd: (end) => {
        const pauseMs = this.#brake.ended(end);
        if (pauseMs === null) return;
        this.#console.say('Item after item fails at once: see what they have in common.', {
          style: 'yellow',
        });
        this.#pause(pauseMs);
      },
    });
    const { maxItems } = this.#options;
    return async (context) => {
      if (this.#started >= maxItems)
        return new Split([], 'This runner has taken as many items as it was to.');
      this.#started += 1;
      if (this.#started === maxItems) this.stop('drain');
      return handle(context);
    };
  }

  #take({ kind, message }: Trouble): void {
    if (kind === 'later') return this.#pause(this.#brake.pull());
    this.#broken ??= message;
    this.stop('now');
  }

  #pause(pauseMs: number): void {
    if (this.#pauseMs > 0 || this.#stop !== null) return;
    this.#pauseMs = pauseMs;
    this.#closeWorker();
  }

  #closeWorker(): void {
    // Its end is awaited where it was started.
    this.#worker?.close({ drainMs: this.#stop === 'now' ? 0 : foreverMs }).catch(() => {});
  }

  async #stopWhenIdle(): Promise<void> {
    const { project, taskTypes } = this.#options;
    const call: Call = (...asked) => this.#client.call(...asked);
    while (this.#stop === null) {
      await sleep(lookMs, undefined, { signal: this.#stopped.signal }).catch(() => {});
      if (this.running > 0) continue;
      const nothing = await isIdle(call, project, taskTypes).catch(() => false); // the hub is away: then who knows
      if (nothing && this.running === 0) this.stop('drain');
    }
  }
}
