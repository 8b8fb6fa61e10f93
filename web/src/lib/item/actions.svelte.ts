import type { CommandInput } from '@switchyard/shared/commands';
import type { Item } from '@switchyard/shared/item';
import { getContext, setContext } from 'svelte';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { toast } from '#lib/ui/toasts.svelte.ts';
import { explainRefusal, type Verb } from './refusals.ts';

export type Dependents = NonNullable<CommandInput<'item.cancel'>['dependents']>;

/**
 * What an operator does to items. Pending, not optimistic: agents race for the same state, so nothing is shown as
 * done before the hub has said so; until then `pending` names what was asked.
 */
export class ItemActions {
  /** By item: "cancelling", "retrying", "to P2". */
  pending = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** The item about which a question is open: cancel it, and what of its dependents? */
  asking = $state.raw<Item>();
  readonly #live: ProjectLive;

  constructor(live: ProjectLive) {
    this.#live = live;
  }

  cancel(item: Item, dependents: Dependents = 'block', reason?: string): Promise<boolean> {
    return this.#run('cancel', item, 'cancelling', () =>
      this.#live.call('item.cancel', { id: item.id, dependents, ...(reason ? { reason } : {}) }),
    );
  }

  retry(item: Item): Promise<boolean> {
    return this.#run('retry', item, 'retrying', () => this.#live.call('item.retry', { id: item.id }));
  }

  setPriority(item: Item, priority: number): Promise<boolean> {
    if (item.priority === priority) return Promise.resolve(true);
    return this.#run('reprioritise', item, `to P${priority}`, () =>
      this.#live.call('item.update', { id: item.id, priority }),
    );
  }

  /** Whether it came to pass; why not is told in a toast. One at a time for an item. */
  async #run(verb: Verb, item: Item, word: string, ask: () => Promise<{ item: Item }>): Promise<boolean> {
    if (this.pending.has(item.id)) return false;
    this.#setPending(item.id, word);
    try {
      const answer = await ask();
      this.#live.learn(answer.item);
      return true;
    } catch (error) {
      const now = await this.#live.call('item.get', { id: item.id }).catch(() => undefined);
      if (now) this.#live.learn(now.item);
      toast({ tone: 'warn', ...explainRefusal(verb, now?.item ?? item, error) });
      return false;
    } finally {
      this.#setPending(item.id, undefined);
    }
  }

  #setPending(id: string, word: string | undefined): void {
    const pending = new Map(this.pending);
    if (word === undefined) pending.delete(id);
    else pending.set(id, word);
    this.pending = pending;
  }
}

export const mayCancel = ({ status }: Item) =>
  status === 'todo' || status === 'claimed' || status === 'failed';
export const mayRetry = ({ status }: Item) => status === 'failed' || status === 'cancelled';
export const mayReprioritise = ({ status }: Item) => status !== 'done' && status !== 'cancelled';

const key = Symbol('item actions');

export function provideActions(actions: () => ItemActions): void {
  setContext(key, actions);
}

export function useActions(): () => ItemActions {
  return getContext<() => ItemActions>(key);
}
