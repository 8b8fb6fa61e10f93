import type { Item } from '@switchyard/shared/item';
import { listItems } from '../domain/read-items.ts';
import { raw } from '../domain/wire.ts';
import type { Hub } from '../hub.ts';
import { bringsItems } from '../socket/offers.ts';

/** As with offers: one item does not wake everybody, and one that is told and gone does not hold it up. */
const waitersPerItemMax = 3;
const itemsPerLookMax = 200;
/** Between two looks while changes keep coming. */
const lookGapMs = 10;

interface Waiter {
  taskTypes: readonly string[] | undefined;
  resolve: (item: Item | null) => void;
}

interface Queue {
  /** Who has waited longest comes first. */
  waiters: Set<Waiter>;
  looking: boolean;
  again: boolean;
}

/** Whoever waits for an item to become ready. Woken by the log: while nothing changes, nothing is asked. */
export class ReadyWaits {
  readonly #hub: Hub;
  readonly #queues = new Map<string, Queue>();
  /** The hub is going down. */
  stopped = false;

  constructor(hub: Hub) {
    this.#hub = hub;
    hub.feed.onRows((projectId, rows) => {
      const queue = this.#queues.get(projectId);
      if (queue && rows.some((row) => row.type !== null && bringsItems.has(row.type)))
        void this.#look(projectId, queue);
    });
  }

  /**
   * An item that became ready, or null when `ms` have passed, the caller gave up, or the hub stops. `first` looks at what
   * is ready already, once whatever comes later will be heard; the caller follows the project's log.
   */
  async wait(
    projectId: string,
    taskTypes: readonly string[] | undefined,
    { ms, signal, first }: { ms: number; signal: AbortSignal; first: () => Promise<Item | null> },
  ): Promise<Item | null> {
    const { promise, resolve } = Promise.withResolvers<Item | null>();
    const waiter: Waiter = { taskTypes, resolve };
    const queue = this.#queues.get(projectId) ?? { waiters: new Set(), looking: false, again: false };
    this.#queues.set(projectId, queue);
    queue.waiters.add(waiter);
    const giveUp = () => resolve(null);
    const timer = setTimeout(giveUp, ms);
    signal.addEventListener('abort', giveUp);
    try {
      const item = await first();
      if (this.stopped || signal.aborted) giveUp();
      return item ?? (await promise);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      queue.waiters.delete(waiter);
      if (queue.waiters.size === 0) this.#queues.delete(projectId);
    }
  }

  /** Lets everybody go. */
  stop(): void {
    this.stopped = true;
    for (const { waiters } of this.#queues.values()) for (const { resolve } of waiters) resolve(null);
  }

  async #look(projectId: string, queue: Queue): Promise<void> {
    queue.again = true;
    if (queue.looking) return;
    queue.looking = true;
    while (queue.again && queue.waiters.size > 0) {
      queue.again = false;
      try {
        this.#tell(queue, await this.#ready(projectId, queue));
      } catch (error) {
        this.#hub.log.debug({ err: error, projectId }, 'could not look for ready items');
      }
      await new Promise((resolve) => setTimeout(resolve, lookGapMs));
    }
    queue.looking = false;
  }

  async #ready(projectId: string, { waiters }: Queue): Promise<Item[]> {
    const all = [...waiters];
    const any = all.some(({ taskTypes }) => taskTypes === undefined);
    const types = any ? {} : { task_type: [...new Set(all.flatMap(({ taskTypes }) => taskTypes ?? []))] };
    const page = { sort: 'priority', limit: Math.min(itemsPerLookMax, 2 * all.length + 10) };
    const { items } = await this.#hub.db.read((sql) =>
      listItems(sql, projectId, { ready: true, ...types }, page),
    );
    return items.map((item) => raw<Item>(item));
  }

  #tell({ waiters }: Queue, ready: readonly Item[]): void {
    for (const item of ready) {
      let told = 0;
      for (const waiter of waiters) {
        if (told === waitersPerItemMax) break;
        if (waiter.taskTypes && !waiter.taskTypes.includes(item.task_type ?? '')) continue;
        waiters.delete(waiter);
        waiter.resolve(item);
        told++;
      }
    }
  }
}
