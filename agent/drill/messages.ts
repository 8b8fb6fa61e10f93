/** What the drill tells an agent process, over the channel it was forked with. */
export type Order =
  | { kind: 'start'; start: Start }
  /** Sent once it has reported `ready`, and all others have. */
  | { kind: 'go' }
  | { kind: 'stop' };

export interface Start {
  url: string;
  token: string;
  project: string;
  agentId: string;
  seed: number;
  /** The longest that one item's work may take, in milliseconds. */
  workMsMax: number;
  /** Items that were to do at first, to try what an agent should not. */
  itemIds: string[];
  /** The part of attempts that fail, as long as an item has not failed twice. */
  failRate: number;
}

export type Outcome = 'completed' | 'failed' | 'released';

/** What an agent process tells the drill: only what the hub has acknowledged. */
export type Report =
  | { kind: 'ready'; leaseSeconds: number }
  | { kind: 'claimed'; item_id: string; attempt: number; session_id: string; latencyMs: number }
  | { kind: 'ended'; outcome: Outcome; item_id: string; attempt: number; session_id: string }
  /** The hub refused what another one was faster at, or what was no longer this agent's. */
  | { kind: 'refused'; code: string }
  | { kind: 'offered' }
  | { kind: 'conflict' }
  | { kind: 'fault'; message: string };
