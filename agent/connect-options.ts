import type { HubToClient } from '@switchyard/shared/protocol';
import { findHub, urlOfHub } from './hub-address.ts';

export interface ConnectOptions {
  /** Where the hub is; `SWITCHYARD_URL`, else the hub on this machine. */
  url?: string;
  /** `SWITCHYARD_TOKEN`, else on the hub's own machine the operator's. */
  token?: string;
  /** A name or id, `SWITCHYARD_PROJECT`: this is an agent of that project. Null, or none set: a watcher, or an operator's script. */
  project?: string | null;
  /** The name the agent goes by, over all its runs; `SWITCHYARD_AGENT`. May be left out where the token is bound to one. */
  agentId?: string;
  /** A uuid, kept over the reconnects of one run; made up when left out. A run that is given it again gets its claims back. */
  sessionId?: string;
  /** What it takes; all types when left out. */
  taskTypes?: string[];
  /** How many claims the agent wants at once, 1 to 1,000; default 1. */
  capacity?: number;
  /** Handlers that must not miss what arrives together with `session.ready`. */
  on?: Partial<HubToClient>;
  /** How long the first connection may take, in milliseconds; default 10,000. */
  connectTimeoutMs?: number;
}

/** What a session takes. */
export interface Serving {
  capacity: number;
  taskTypes: string[] | undefined;
}

/** Who an agent is. */
export interface AgentName {
  project: string;
  agentId: string | undefined;
}

/** Throws `NoHub` when it is not known where the hub is, or there is no way in. */
export function addressOf({ url, token }: ConnectOptions): { url: string; token: string } {
  const env = url === undefined ? process.env : { ...process.env, SWITCHYARD_URL: url };
  return token === undefined ? findHub(env) : { url: urlOfHub(env), token };
}

/** Null: no agent. */
export function agentOf({ project, agentId }: ConnectOptions): AgentName | null {
  const named = project === undefined ? process.env.SWITCHYARD_PROJECT || null : project;
  if (named === null) return null;
  return { project: named, agentId: agentId ?? (process.env.SWITCHYARD_AGENT || undefined) };
}

export function servingOf({ capacity = 1, taskTypes }: ConnectOptions): Serving {
  return { capacity, taskTypes };
}

/** What the handshake says of an agent. */
export function helloOf(
  { project, agentId }: AgentName,
  sessionId: string,
  { capacity, taskTypes }: Serving,
) {
  return { project, agent_id: agentId, session_id: sessionId, task_types: taskTypes, capacity };
}
