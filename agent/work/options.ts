import type { Item } from '@switchyard/shared/item';
import type { Outcome } from './outcome.ts';

export interface WorkOptions {
  /** How many items at once, 1 to 1,000; the client's `capacity` when left out, else 1. */
  concurrency?: number;
  /** What it takes; the client's `taskTypes` when left out, else all. */
  taskTypes?: string[];
  /** How long `close()` lets handlers finish before it aborts their signals, in milliseconds; default 30,000, `Infinity` is allowed. */
  drainMs?: number;
  /** How long `close()` then waits for them to return, in milliseconds; default 5,000. */
  stopMs?: number;
  /**
   * Hears of a result that the hub did not take, because the claim was lost, the item cancelled, or the hub away to the
   * end. Without one it is a process warning.
   */
  onLost?: (lost: LostOutcome) => void;
  /** Hears what happens to every item, and of faults; for logs. */
  onEvent?: (event: WorkEvent) => void;
}

/** What came of an item, and could not be told. */
export interface LostOutcome {
  item: Item;
  attempt: number;
  outcome: Outcome;
  /** Why, in a sentence. */
  reason: string;
}

/**
 * `claimed`, then one of: `completed`, `failed`, `released`, `cancelled` (the handler has returned, and the hub was told),
 * `lost`. `fault`: something went wrong that is no handler's outcome.
 */
export interface WorkEvent {
  type: 'claimed' | 'completed' | 'failed' | 'released' | 'cancelled' | 'lost' | 'fault';
  item: Item | null;
  attempt: number | null;
  /** The summary or reason, in people's words. */
  message: string;
  /** What a handler threw, or what the fault was. */
  error?: unknown;
}

/** What a worker has done so far: items by how they ended, and those it works on now. */
export interface WorkStats {
  claimed: number;
  completed: number;
  failed: number;
  released: number;
  cancelled: number;
  lost: number;
  running: number;
}

/** Work that goes on until it is closed. */
export interface Worker extends AsyncDisposable {
  /** Resolves when it is closed; rejects when it cannot go on: the hub refused it for good, or a fault of the worker's own. */
  readonly closed: Promise<void>;
  /** Kept up to date. */
  readonly stats: Readonly<WorkStats>;
  /**
   * Takes nothing new, lets handlers finish for `drainMs`, then aborts their signals and waits `stopMs` more; gives back
   * what is still held, and does not wait for a handler that ignores its signal. Called again with less time, it hurries.
   *
   *     process.once('SIGTERM', () => void worker.close({ drainMs: 10_000 }));
   */
  close(options?: { drainMs?: number }): Promise<void>;
}
