import { hostname, userInfo } from 'node:os';
import type { CommandContext, StricliProcess } from '@stricli/core';
import { limits } from '@switchyard/shared/limits';
import type { Call } from '../call.ts';
import { Misuse } from '../command.ts';
import { boundAgent, httpCaller } from '../http.ts';
import { findHub, type HubAddress } from '../hub-address.ts';
import { agentNameIn } from '../setup/agent-name.ts';
import type { Output, TextStream } from './output.ts';
import { patient } from './patient-call.ts';

/** What a command needs of `process`; tests make one of their own. */
export interface CliProcess extends StricliProcess {
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: NodeJS.ProcessEnv;
  exitCode?: number;
  /** What a command does that has something to put in order when nobody reads its output any more; others just end. */
  readerLeft?: () => void;
}

/** `this` of every command. */
export class Cli implements CommandContext {
  readonly process: CliProcess;
  readonly out: Output;
  #address: HubAddress | undefined;
  #call: Call | undefined;

  constructor(process: CliProcess, out: Output) {
    this.process = process;
    this.out = out;
  }

  get env(): NodeJS.ProcessEnv {
    return this.process.env;
  }

  /** Where the hub is, looked up when first asked for. Throws `NoHub`. */
  get hub(): HubAddress {
    return (this.#address ??= findHub(this.env));
  }

  /** Sends a command to the hub. Throws `NoHub` and the hub's `Refusal`. */
  readonly call: Call = (command, input, options) =>
    (this.#call ??= patient(httpCaller(this.hub)))(command, input, options);

  /** The project meant: `--project`, SWITCHYARD_PROJECT, or the only one there is. Throws `Misuse`. */
  async project(flag: string | undefined): Promise<string> {
    const named = flag || this.env.SWITCHYARD_PROJECT;
    if (named) return named;
    const { projects } = await this.call('project.list', {});
    const [only, ...others] = projects.map(({ name }) => name);
    if (only === undefined)
      throw new Misuse('There is no project yet. Make one: switchyard projects create NAME');
    if (others.length === 0) return only;
    const names = [only, ...others].slice(0, 10).join(', ');
    const more = others.length > 9 ? ` and ${others.length - 9} more` : '';
    throw new Misuse(`Which project? Say --project NAME or set SWITCHYARD_PROJECT: ${names}${more}`);
  }

  /** Who acts: the agent that the token is bound to, or else the `agentId`. Throws `NoHub`. */
  async actor(flag: string | undefined): Promise<string> {
    return (await boundAgent(this.hub)) ?? this.agentId(flag);
  }

  /**
   * Who it is said that acts, of which the hub knows better where the token is bound: `--agent`, SWITCHYARD_AGENT, the
   * name of the coding agent in SWITCHYARD_CLIENT, or user@host.
   */
  agentId(flag: string | undefined): string {
    return (
      flag || agentNameIn(this.env) || `${userName(this.env)}@${hostname()}`.slice(0, limits.agentIdLength)
    );
  }
}

function userName(env: NodeJS.ProcessEnv): string {
  try {
    return userInfo().username;
  } catch {
    return env.USER || 'user'; // a uid without an account, as containers have
  }
}
