import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Order, Report, Start } from './messages.ts';

interface FleetOptions {
  agents: number;
  /** What each process is told; its agent's name is added. */
  start: Omit<Start, 'agentId'>;
  /** All agents are ready, and begin. */
  onStart: () => void;
  /** Hears every agent; `kill` ends the one that reported, at once. */
  onReport: (report: Report, kill: () => void) => void;
}

/** How long an agent may take to finish what it is at, in milliseconds. */
const stopMsMax = 5_000;

/** The agent processes of a drill. One that the drill kills is replaced by a new one of the same name. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #processes = new Map<ChildProcess, string>();
  /** Ready and waiting for the others, so that work is not measured while processes still start. */
  #waiting: ChildProcess[] | null = [];
  #stopping = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    for (let n = 1; n <= options.agents; n += 1) this.#add(`drill-${n}`);
  }

  get size(): number {
    return this.#processes.size;
  }

  /** Lets every agent finish what it is at, and waits until all are gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const gone = [...this.#processes.keys()].map((process) => once(process, 'exit'));
    for (const process of this.#processes.keys()) tell(process, { kind: 'stop' });
    const timer = setTimeout(() => this.kill(), stopMsMax);
    await Promise.all(gone);
    clearTimeout(timer);
  }

  /** Ends every agent at once. */
  kill(): void {
    this.#stopping = true;
    for (const process of this.#processes.keys()) process.kill('SIGKILL');
  }

  #add(agentId: string): void {
    const agent = fork(join(import.meta.dirname, 'worker.ts'));
    this.#processes.set(agent, agentId);
    const kill = () => void agent.kill('SIGKILL');
    agent.on('message', (report: Report) => {
      if (report.kind === 'ready') this.#letGo(agent);
      this.#options.onReport(report, kill);
    });
    agent.once('exit', (code, signal) => {
      this.#processes.delete(agent);
      if (this.#stopping) return;
      if (signal === 'SIGKILL') return this.#add(agentId);
      this.#options.onReport(
        { kind: 'fault', message: `${agentId} ended by itself (${signal ?? code})` },
        kill,
      );
      this.#beginWhenReady();
    });
    tell(agent, { kind: 'start', start: { ...this.#options.start, agentId } });
  }

  #letGo(agent: ChildProcess): void {
    if (this.#waiting === null) return tell(agent, { kind: 'go' });
    this.#waiting.push(agent);
    this.#beginWhenReady();
  }

  #beginWhenReady(): void {
    if (this.#waiting === null || this.#waiting.length < this.#processes.size) return;
    for (const ready of this.#waiting) tell(ready, { kind: 'go' });
    this.#waiting = null;
    this.#options.onStart();
  }
}

function tell(process: ChildProcess, order: Order): void {
  // One that died a moment ago has nothing to be told.
  if (process.connected) process.send(order, () => {});
}
