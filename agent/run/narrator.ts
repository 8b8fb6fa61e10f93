import type { HubClient } from '../client.ts';
import type { LostOutcome, WorkEvent, WorkStats } from '../work/options.ts';
import type { RunConsole } from './console.ts';
import { sayDuration } from './duration.ts';

const lookMs = 1_000;

/** Says in a line each what happens to items and to the connection. */
export class Narrator {
  readonly #client: HubClient;
  readonly #console: RunConsole;
  readonly #since = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  readonly #off: () => void;
  #awaySince: number | null = null;

  constructor(client: HubClient, console: RunConsole) {
    this.#client = client;
    this.#console = console;
    this.#timer = setInterval(() => this.#lookAtHub(), lookMs);
    this.#off = client.onConnect(() => this.#lookAtHub());
  }

  close(): void {
    clearInterval(this.#timer);
    this.#off();
  }

  greet(runner: {
    agent: string;
    project: string;
    hub: { url: string };
    taskTypes: readonly string[];
    concurrency: number;
  }): void {
    const types = runner.taskTypes.length > 0 ? `${runner.taskTypes.join(', ')} items` : 'items';
    const many = runner.concurrency > 1 ? `, ${runner.concurrency} at once` : '';
    this.#console.say(
      `${runner.agent} takes ${types} of ${runner.project} at ${runner.hub.url}${many}. Ctrl-C stops it.`,
    );
  }

  tell({ type, item, message }: WorkEvent): void {
    if (item === null) return this.#console.say(`Trouble: ${message}`, { style: 'red' });
    if (type === 'claimed') return void this.#since.set(item.id, performance.now());
    const about = { item: item.number };
    const took = sayDuration(performance.now() - (this.#since.get(item.id) ?? performance.now()));
    if (type !== 'fault') this.#since.delete(item.id);
    switch (type) {
      case 'completed':
        return this.#console.say(`✓ done in ${took}${lastParagraph(message)}`, { ...about, style: 'green' });
      case 'failed':
        return this.#console.say(`✗ failed after ${took}: ${firstLine(message)}${lastParagraph(message)}`, {
          ...about,
          style: 'red',
        });
      case 'released':
        return this.#console.say(`given back after ${took}: ${firstLine(message)}`, {
          ...about,
          style: 'yellow',
        });
      case 'cancelled':
        return this.#console.say(`cancelled; its command has ended`, { ...about, style: 'yellow' });
      case 'lost':
        return this.#console.say(`the claim is over: ${firstLine(message)}`, { ...about, style: 'red' });
      case 'fault':
        return this.#console.say(`trouble: ${message}`, { ...about, style: 'red' });
    }
  }

  /** A result that the hub did not take is shown whole: it is nowhere else. */
  tellLost({ item, outcome, reason }: LostOutcome): void {
    const said =
      outcome.kind === 'complete'
        ? outcome.result_summary
        : outcome.kind === 'fail'
          ? outcome.failure_reason
          : outcome.reason;
    this.#console.say(`its result was not taken: ${reason}\nIt was: ${outcome.kind}\n${said}`, {
      item: item.number,
      style: 'red',
    });
  }

  #lookAtHub(): void {
    const isHere = this.#client.connected;
    if (!isHere && this.#awaySince === null) {
      this.#awaySince = performance.now();
      this.#console.say('The hub is away. What is under way goes on; trying to reach it.', {
        style: 'yellow',
      });
    }
    if (isHere && this.#awaySince !== null) {
      this.#console.say(`The hub is back after ${sayDuration(performance.now() - this.#awaySince)}.`);
      this.#awaySince = null;
    }
  }
}

/** "12 done, 1 failed", of what there was. */
export function sayTotals(stats: WorkStats): string {
  const parts = [
    [stats.completed, 'done'],
    [stats.failed, 'failed'],
    [stats.released, 'given back'],
    [stats.cancelled, 'cancelled'],
    [stats.lost, 'lost'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return said.length > 0 ? said.join(', ') : 'Nothing was done';
}

const firstLine = (text: string) => text.split('\n', 1)[0]!;

/** Where the work lies, as the handler says it last: of a branch or a worktree. */
function lastParagraph(text: string): string {
  const last = text.split('\n\n').at(-1)!;
  return /\bbranch\b/i.test(last) && last !== text ? ` · ${firstLine(last)}` : '';
}
