import { findImported, importPlan, type ImportCall } from '@switchyard/shared/import/create';
import type { Plan } from '@switchyard/shared/import/plan';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { bytesOf, readPlan, TooLarge } from './read.ts';

/** What went wrong; whether the command line would do better. */
export interface Problem {
  text: string;
  tooLarge: boolean;
}

/**
 * A backlog on its way into a project: chosen, read, looked at, made, told of. Nothing is made before it was shown.
 * An import that was stopped or broke off goes on where it was, for what exists is known by where it came from.
 */
export class Importing {
  step = $state.raw<'choose' | 'reading' | 'preview' | 'running' | 'report'>('choose');
  /** Of the file; what was pasted has none. */
  name = $state.raw('');
  problem = $state.raw<Problem>();
  plan = $state.raw<Plan>();
  /** Keys of the plan's items that the project has already. */
  there = $state.raw<ReadonlySet<string>>(new Set());
  /** So many of the project's items were looked at, or of the plan's are there. */
  done = $state.raw(0);
  total = $state.raw(0);
  stopping = $state.raw(false);
  /** Of the plan's items, before anything was made. */
  existing = $state.raw<number>();
  readonly #live: ProjectLive;
  readonly #call: ImportCall;
  /** Ends what is under way. */
  #under = new AbortController();

  constructor(live: ProjectLive) {
    this.#live = live;
    this.#call = (name, input) => live.call(name, input);
  }

  get left(): number {
    return (this.plan?.items.length ?? 0) - this.done;
  }

  /** Reads a file, or what was pasted, and finds out what of it is there already. */
  async read(source: File | string): Promise<void> {
    const { signal } = this.#begin('reading');
    this.name = typeof source === 'string' ? '' : source.name;
    try {
      const plan = await readPlan(await bytesOf(source), signal);
      const ids = await findImported(this.#call, this.#live.ref, plan, {
        signal,
        onProgress: this.#progress,
      });
      if (signal.aborted) return;
      [this.plan, this.there, this.existing, this.step] = [plan, new Set(ids.keys()), undefined, 'preview'];
    } catch (error) {
      if (!signal.aborted) this.#fail(error, 'choose');
    }
  }

  /** Makes what is not there, or goes on with it. */
  async run(): Promise<void> {
    const { plan } = this;
    if (!plan) return;
    const { signal } = this.#begin('running');
    this.total = plan.items.length;
    const onProgress = (done: number, total: number) => {
      this.existing ??= done;
      this.#progress(done, total);
    };
    try {
      await importPlan(this.#call, this.#live.ref, plan, { signal, onProgress });
      this.step = 'report';
    } catch (error) {
      this.#fail(error, 'report');
    }
  }

  /** What is under way at the hub is waited for; nothing more is begun. */
  stop(): void {
    this.stopping = true;
    this.#under.abort();
  }

  /** Back to where a file is chosen. */
  restart(): void {
    this.#under.abort();
    [this.step, this.problem, this.plan] = ['choose', undefined, undefined];
  }

  #begin(step: 'reading' | 'running'): AbortController {
    this.#under.abort();
    [this.step, this.problem, this.stopping, this.done, this.total] = [step, undefined, false, 0, 0];
    return (this.#under = new AbortController());
  }

  readonly #progress = (done: number, total: number) => {
    [this.done, this.total] = [done, total];
  };

  #fail(error: unknown, step: 'choose' | 'report'): void {
    this.problem = {
      text: error instanceof Error ? error.message : String(error),
      tooLarge: error instanceof TooLarge,
    };
    this.step = step;
  }
}
