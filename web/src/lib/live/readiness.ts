import type { CommandInput, CommandOutput } from '@switchyard/shared/commands';
import type { EventType, Item } from '@switchyard/shared/item';
import type { Project } from '@switchyard/shared/project';
import type { ItemStore } from './store.ts';

/** What may change which files are held, or whether that matters. */
const changesFiles = new Set<EventType>([
  'item.claimed',
  'item.files_reported',
  'item.completed',
  'item.failed',
  'item.released',
  'item.requeued',
  'item.cancelled',
  'item.cancel_acknowledged',
  'item.updated',
  'project.updated',
]);
const afterMs = 200;
const againMs = 1_000;
const askedMax = 500;

export interface Asking {
  readonly store: ItemStore;
  readonly project: Project | undefined;
  call(name: 'item.list', input: CommandInput<'item.list'>): Promise<CommandOutput<'item.list'>>;
  /** What is here has changed. */
  refresh(): void;
}

/**
 * Under the policy "deny" an item is ready, or not, by what others hold, and its own log says nothing of that: what is
 * here and may have become so is asked for, at most once a second.
 */
export class Readiness {
  readonly #live: Asking;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = -Infinity;

  constructor(live: Asking) {
    this.#live = live;
  }

  /** These have happened. */
  after(events: readonly { type: EventType }[]): void {
    if (this.#timer !== undefined || !events.some(({ type }) => changesFiles.has(type))) return;
    const wait = Math.max(afterMs, this.#askedAt + againMs - performance.now());
    this.#timer = setTimeout(() => void this.#ask(), wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    this.#askedAt = performance.now();
    const { project } = this.#live;
    const number = this.#inDoubt()
      .slice(0, askedMax)
      .map((item) => item.number);
    if (!project || number.length === 0) return;
    try {
      const { items } = await this.#live.call('item.list', { project: project.id, number, limit: askedMax });
      const news = items.filter((item) => this.#live.store.putFresh(item));
      if (news.length > 0) this.#live.refresh();
    } catch {
      // The next change asks again.
    }
  }

  #inDoubt(): Item[] {
    const { store, project } = this.#live;
    const denied = (item: Item) => (item.conflict_policy ?? project?.conflict_policy) === 'deny';
    return [...store.values()].filter(
      (item) =>
        item.status === 'todo' &&
        item.blocked_by.length === 0 &&
        item.files_planned.length + item.files_modified.length > 0 &&
        denied(item),
    );
  }
}
