import type { Socket } from 'socket.io-client';
import type { BenchHub } from '../../../bench/hub.ts';
import { ask, call, connectAgent } from '../setup/wire.ts';
import { startLoad } from './load.ts';

/** An item that was made. */
export interface Made {
  id: string;
  number: number;
}

interface Work {
  progress?: number;
  note?: string;
  files?: string[];
}

const beatMs = 8_000;

/** Agents of a project, which beat until they fall silent. */
export class Team {
  readonly #hub: BenchHub;
  readonly #project: string;
  readonly #sockets = new Map<string, Socket>();
  readonly #silent = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #stopLoad = async () => {};

  constructor(hub: BenchHub, project: string) {
    this.#hub = hub;
    this.#project = project;
    this.#timer = setInterval(() => {
      for (const [name, socket] of this.#sockets)
        if (!this.#silent.has(name)) socket.emit('agent.heartbeat', { claims: [] }, () => {});
    }, beatMs);
  }

  /** Claims an item, and is at it. */
  async work(name: string, { id }: Made, { progress, note, files }: Work = {}): Promise<void> {
    const { socket, attempt } = await this.#claim(name, id);
    if (files) await ask(socket, 'item.report_files', { id, attempt, files });
    if (progress !== undefined)
      await ask(socket, 'item.heartbeat', { id, attempt, progress, ...(note ? { note } : {}) });
  }

  async finish({ id }: Made, name: string): Promise<void> {
    const { socket, attempt } = await this.#claim(name, id);
    await ask(socket, 'item.complete', {
      id,
      attempt,
      result_summary: 'Done, with tests.',
      files_modified: [],
    });
  }

  async fail(name: string, { id }: Made, failure_reason: string): Promise<void> {
    const { socket, attempt } = await this.#claim(name, id);
    await ask(socket, 'item.fail', { id, attempt, failure_reason, retryable: false });
  }

  /** Is there, and does nothing. */
  async rest(name: string): Promise<void> {
    await this.#socket(name);
  }

  /** Its machine went to sleep, say: the connection stands, and nothing comes. Waits until that shows. */
  async fallSilent(name: string): Promise<void> {
    this.#silent.add(name);
    for (;;) {
      const { agents } = await call<{ agents: { agent_id: string; state: string }[] }>(
        this.#hub,
        `/api/projects/${this.#project}/agents`,
      );
      if (agents.some((one) => one.agent_id === name && one.state === 'stale')) return;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  /** So many agents work the backlog off, until the team is closed; one more took an item and was not heard of again. */
  async startLoad(agents: number): Promise<void> {
    const names = ['claude', 'codex', 'gemini', 'cursor'];
    const sockets = await Promise.all(
      Array.from({ length: agents }, (_, at) =>
        this.#socket(`${names[at % names.length]}-${Math.floor(at / names.length) + 1}`),
      ),
    );
    this.#stopLoad = startLoad(sockets);
    await ask(await this.#socket('nightly-build'), 'item.claim_next', {});
    await Promise.all([this.conflictedNumber(), this.fallSilent('nightly-build')]);
  }

  /** An item that shares files with another, once there is one. */
  async conflictedNumber(): Promise<number> {
    for (;;) {
      const { conflicts } = await call<{ conflicts: { items: Made[] }[] }>(
        this.#hub,
        `/api/projects/${this.#project}/conflicts`,
      );
      const [one] = conflicts;
      if (one) return one.items[0]!.number;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#stopLoad();
    for (const socket of this.#sockets.values()) socket.disconnect();
  }

  async #claim(name: string, id: string): Promise<{ socket: Socket; attempt: number }> {
    const socket = await this.#socket(name);
    const { claim } = await ask<{ claim: { attempt: number } }>(socket, 'item.claim', { id });
    return { socket, attempt: claim.attempt };
  }

  async #socket(name: string): Promise<Socket> {
    const known = this.#sockets.get(name) ?? (await connectAgent(this.#hub, this.#project, name));
    this.#sockets.set(name, known);
    return known;
  }
}
