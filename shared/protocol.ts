import { z } from 'zod';
import type { AgentInfo, ClaimRef, Heartbeat, HeartbeatAnswer, Progress, SessionReady } from './agent.ts';
import type { CommandInput, CommandName, CommandOutput } from './commands.ts';
import type { WireError } from './errors.ts';
import type { Conflict, ConflictPair, Event, Item } from './item.ts';
import { limits } from './limits.ts';
import { projectRefSchema, type Project } from './project.ts';

/** Every acknowledgement over a socket. */
export type Answer<T> = { ok: true; result: T } | { ok: false; error: WireError };
type Ack<T> = (answer: Answer<T>) => void;

/** An event of the log as watchers receive it; `item` is the whole item, at or after this change. */
export type ProjectEvent = Event & { item?: Item };

export const watchSchema = z.strictObject({
  project: projectRefSchema,
  after: z.int().min(0).optional().describe('the last seq seen: catch up from there instead of a snapshot'),
});
export const unwatchSchema = z.strictObject({ project: projectRefSchema });

/** The first window of a project: all claimed and failed items, the first 200 of each other status. */
export interface Snapshot {
  /** Ages are counted from it by who has another clock. */
  server_time: string;
  seq: number;
  project: Project;
  progress: Progress;
  agents: AgentInfo[];
  conflicts: ConflictPair[];
  items: Item[];
}
export interface CatchUp {
  seq: number;
  events: ProjectEvent[];
}

/** What a claim's holder hears when its files begin or cease to be shared. */
export interface ClaimConflicts {
  item_id: string;
  attempt: number;
  conflicts: Conflict[];
}

type CommandEvents = {
  [K in CommandName]: (input: CommandInput<K>, ack: Ack<CommandOutput<K>>) => void;
};

export interface ClientToHub extends CommandEvents {
  'agent.heartbeat': (input: Heartbeat, ack: Ack<HeartbeatAnswer>) => void;
  'project.watch': (input: z.input<typeof watchSchema>, ack: Ack<Snapshot | CatchUp>) => void;
  'project.unwatch': (input: z.input<typeof unwatchSchema>, ack: Ack<Record<string, never>>) => void;
}

export interface HubToClient {
  'session.ready': (ready: SessionReady) => void;
  'item.available': (offer: { item: Item }) => void;
  'claim.cancelled': (claim: ClaimRef, ack: (stopped?: unknown) => void) => void;
  'claim.lost': (claim: ClaimRef) => void;
  'conflict.detected': (conflicts: ClaimConflicts) => void;
  'conflict.resolved': (conflicts: ClaimConflicts) => void;
  'hub.draining': (drain: { reconnect_after_ms: number }) => void;
  'project.event': (event: ProjectEvent) => void;
  'project.progress': (progress: { project_id: string; progress: Progress }) => void;
  'project.agents': (agents: { project_id: string; agents: AgentInfo[] }) => void;
}

/** How many events a catch-up may hold; a client further behind gets a snapshot. */
export const catchUpMax = limits.eventsMax;
