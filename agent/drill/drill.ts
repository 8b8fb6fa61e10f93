import { setTimeout as sleep } from 'node:timers/promises';
import { importPlan } from '@switchyard/shared/import/create';
import type { Plan } from '@switchyard/shared/import/plan';
import type { Event, Item } from '@switchyard/shared/item';
import type { Call } from '../call.ts';
import { connect, type HubClient } from '../client.ts';
import { followProject, type Following } from '../follow.ts';
import { httpCaller } from '../http.ts';
import type { HubAddress } from '../hub-address.ts';
import { checkHistory, type Violation } from './check.ts';
import { Fleet } from './fleet.ts';
import type { Report } from './messages.ts';
import type { DrillOptions } from './options.ts';
import { readItems, readLog } from './read-back.ts';
import { Tally } from './tally.ts';
import { checkAcknowledged, checkLost, checkWatched } from './witness.ts';

/** Every failure is retried, so that in the end everything is done. */
const maxAttempts = 10;
/** Kills fall into this first part of the work, so that the wait for what they held overlaps with the rest. */
const killsWithin = 0.3;
/** How many items the agents are told of; all others they get to know by claiming. */
const itemIdsMax = 1_000;
const pollMs = 200;
/** How long beyond a lease nothing may happen before the drill gives up waiting. */
const quietMsMax = 30_000;
const watcherDelayMsMax = 5_000;
/** A question waits this long, so that a hub may be restarted in the middle of a drill. */
const askMsMax = 60_000;

export interface DrillResult {
  events: Event[];
  items: Item[];
  violations: Violation[];
}

/**
 * One drill: a new project, a backlog imported into it, agents that finish it, and the check of what happened.
 *
 *     const drill = new Drill(findHub(), 'drill-7', plan, options);
 *     const { violations } = await drill.run();
 */
export class Drill {
  readonly project: string;
  readonly tally = new Tally();
  readonly options: DrillOptions;
  readonly #hub: HubAddress;
  #call!: Call;
  readonly #plan: Plan;
  readonly #watched: Event[] = [];
  #fleet: Fleet | undefined;
  #leaseMs = 0;
  #itemIds: string[] = [];
  /** Items there were to do when the agents began. */
  todo = 0;
  importMs = 0;
  /** Until all agent processes were connected. */
  startMs = 0;
  /** From then on to the end of the last one. */
  runMs = 0;

  constructor(hub: HubAddress, project: string, plan: Plan, options: DrillOptions) {
    this.#hub = hub;
    this.project = project;
    this.options = options;
    this.#plan = { ...plan, items: plan.items.map((item) => ({ ...item, max_attempts: maxAttempts })) };
  }

  /** Throws the hub's `Refusal` when it cannot go on; broken rules are in the result. */
  async run(): Promise<DrillResult> {
    const watcher = await connect({ ...this.#hub, project: null });
    this.#call = (command, input) => watcher.call(command, input, { timeoutMs: askMsMax });
    try {
      const description = `A drill, seed ${this.options.seed}`;
      await this.#call('project.create', { name: this.project, description });
      const following = await this.#watch(watcher);
      await this.#import();
      const gaveUp = await this.#work(following);
      return await this.#check(following, gaveUp);
    } finally {
      this.abort();
      await watcher.close();
    }
  }

  /** What it is at, in a line. */
  state(): string {
    if (!this.#fleet) return `${this.project}: importing ${this.#plan.items.length} items`;
    const { completed, failed, released, kills, startedAt } = this.tally;
    const elapsed = `${Math.round((performance.now() - startedAt) / 1_000)} s`;
    return `${elapsed}: ${completed} of ${this.todo} done, ${failed} failed, ${released} released, ${kills} agents killed`;
  }

  /** Ends all agent processes at once. */
  abort(): void {
    this.#fleet?.kill();
  }

  #watch(watcher: HubClient): Promise<Following> {
    const onEvent = (event: Event) => void this.#watched.push(event);
    return followProject(watcher, this.project, { after: 0, onEvent });
  }

  async #import(): Promise<void> {
    const startedAt = performance.now();
    const { ids } = await importPlan(httpCaller(this.#hub), this.project, this.#plan);
    const open = this.#plan.items.filter((item) => item.status === 'todo');
    this.#itemIds = open.slice(0, itemIdsMax).map((item) => ids.get(item.key)!);
    this.importMs = performance.now() - startedAt;
    this.todo = (await this.#call('project.progress', { project: this.project })).progress.todo;
  }

  /** Lets the agents work until nothing is left; answers why it gave up, if it did. */
  async #work(following: Following): Promise<string | null> {
    const { seed, workMsMax, failRate, agents } = this.options;
    const { token } = await this.#call('token.create', {
      role: 'agent',
      project: this.project,
      label: this.project,
    });
    const startedAt = performance.now();
    this.#fleet = new Fleet({
      agents,
      start: {
        url: this.#hub.url,
        token: token.token,
        project: this.project,
        itemIds: this.#itemIds,
        seed,
        workMsMax,
        failRate,
      },
      onStart: () => {
        this.startMs = performance.now() - startedAt;
        this.tally.start();
      },
      onReport: (report, kill) => this.#take(report, kill),
    });
    const gaveUp = await this.#untilOver(following);
    await this.#fleet.stop();
    this.runMs = performance.now() - startedAt - this.startMs;
    await this.#call('token.revoke', { id: token.id });
    return gaveUp;
  }

  #take(report: Report, kill: () => void): void {
    this.tally.take(report);
    if (report.kind === 'ready') this.#leaseMs = report.leaseSeconds * 1_000;
    if (report.kind !== 'claimed' || this.tally.kills === this.options.kills) return;
    // The first claim of all is a victim, the others follow evenly.
    const part = this.tally.completed / this.todo;
    if (part < (killsWithin * this.tally.kills) / this.options.kills) return;
    this.tally.killedSessions.add(report.session_id);
    kill();
  }

  async #untilOver(following: Following): Promise<string | null> {
    const deadline = performance.now() + this.options.timeoutSeconds * 1_000;
    let last = { seq: following.seq, at: performance.now() };
    for (;;) {
      if (await isOver(this.#call, this.project)) return null;
      if (this.#fleet!.size === 0) return 'no agent is left';
      const now = performance.now();
      if (now > deadline) return `not over after ${this.options.timeoutSeconds} s`;
      if (following.seq !== last.seq) last = { seq: following.seq, at: now };
      if (now - last.at > this.#leaseMs + quietMsMax) return 'nothing happened for longer than any lease';
      await sleep(pollMs);
    }
  }

  async #check(following: Following, gaveUp: string | null): Promise<DrillResult> {
    const { last_seq } = (await this.#call('project.get', { project: this.project })).project;
    await following.reached(last_seq, watcherDelayMsMax);
    const events = await readLog(this.#call, this.project);
    const items = await readItems(this.#call, this.project);
    const violations: Violation[] = [
      ...(gaveUp ? [{ rule: 'stuck' as const, message: gaveUp }] : []),
      ...checkHistory(events, items),
      ...checkAcknowledged(this.tally.acknowledged, events),
      ...checkLost(this.tally.killedSessions, events),
      ...checkWatched(this.#watched, following.gaps, events),
    ];
    return { events, items, violations };
  }
}

/** Nothing is claimed, nothing can be, and nothing falls due any more. */
async function isOver(call: Call, project: string): Promise<boolean> {
  const { progress } = await call('project.progress', { project });
  if (progress.claimed > 0 || progress.ready > 0) return false;
  if (progress.failed === 0) return true;
  const failed = await call('item.list', { project, status: ['failed'], limit: 500 });
  // As many as a moment ago: none of them has come back to the queue in between.
  return failed.total === progress.failed && failed.items.every((item) => item.retry_at === null);
}
