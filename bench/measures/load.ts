// One run of cycles: its items made, its time and CPU taken.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.ts';
import { cpuPerThousand, type Cpu } from '../cpu.ts';
import type { Samples } from '../generator/cycles.ts';
import type { Form } from '../options.ts';

export interface Run {
  cyclesPerSecond: number;
  cycles: number;
  /** Of each answer that brings a claim. */
  answerMs: { p50: number; p99: number };
  cpu: Cpu;
  limited: number;
}

/** What connections work on: a project of the hub, or the echo server, which needs no items. */
export interface Target {
  group: string;
  project: string | null;
  agents: number;
}

/** After items were made: the hub offers some to the idle agents, and that is not what is measured. */
const settleMs = 150;
const firstCyclesMax = 4_000;
const msMax = 60_000;

/** Runs cycles against one target in one form, each run about as long as is wished, by the rate of the one before. */
export class Load {
  readonly #bench: Bench;
  readonly #target: Target;
  readonly #form: Form;
  #rate = 0;
  samples: Samples = {};

  constructor(bench: Bench, target: Target, form: Form) {
    this.#bench = bench;
    this.#target = target;
    this.#form = form;
  }

  /** `limit`: exactly so many cycles, in place of a time. */
  async run(limit = this.#limit()): Promise<Run> {
    const { bench, target } = { bench: this.#bench, target: this.#target };
    // All that are made are used up: what was left would be offered to the idle agents again and again meanwhile.
    if (target.project) {
      const { files } = bench.options;
      await bench.generator.call('createItems', { project: target.project, count: limit, files });
      await sleep(settleMs);
    }
    const before = bench.cpu();
    const result = await bench.generator.call('cycles', {
      group: target.group,
      project: target.project ?? 'echo',
      form: this.#form,
      limit,
      msMax,
    });
    const cpu = cpuPerThousand(before, bench.cpu(), result.cycles);
    if (result.cycles < limit) throw new Error(`${limit} cycles took more than ${msMax / 1_000} s`);
    const { cycles, seconds, answerMs, limited } = result;
    this.samples = result.samples;
    this.#rate = cycles / seconds;
    return { cyclesPerSecond: this.#rate, cycles, answerMs, cpu, limited };
  }

  #limit(): number {
    const { agents } = this.#target;
    if (this.#rate === 0) return Math.min(firstCyclesMax, 150 * agents);
    return Math.max(agents, Math.round(this.#rate * this.#bench.options.seconds));
  }
}
