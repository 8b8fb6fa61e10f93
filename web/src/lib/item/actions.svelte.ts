import type { Item } from '@switchyard/shared/item';
import { getContext, setContext } from 'svelte';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { toast } from '#lib/ui/toasts.svelte.ts';
import { explainRefusal, overtaken, verbs, type Refused } from './refusals.ts';
import { countItems, outcomeOf, passedOver, type Steering } from './steering.ts';

/**
 * What an operator does to items. Pending, not optimistic: agents race for the same state, so nothing is shown as
 * done before the hub has said so; until then `pending` names what was asked.
 */
export class ItemActions {
  /** By item: "cancelling", "retrying", "to P2". */
  pending = $state.raw<ReadonlyMap<string, string>>(new Map());
  /** The items about which a question is open: cancel them, and what of their dependents? */
  asking = $state.raw<readonly Item[]>([]);
  readonly #live: ProjectLive;

  constructor(live: ProjectLive) {
    this.#live = live;
  }

  retry(item: Item): Promise<boolean> {
    return this.#one(item, { action: 'retry' });
  }

  setPriority(item: Item, priority: number): Promise<boolean> {
    return this.#one(item, { action: 'set_priority', priority });
  }

  /** The same to all of them, in one command. What came of several is told in one toast: how many, and why not the others. */
  async steer(items: readonly Item[], what: Steering): Promise<void> {
    const [first, ...more] = items;
    if (first && more.length === 0) return void (await this.#one(first, what));
    const changing = items.filter((item) => !isSo(item, what) && !this.pending.has(item.id));
    if (changing.length > 0) await this.#several(changing, what);
  }

  async #several(items: readonly Item[], what: Steering): Promise<void> {
    const project = this.#live.ref;
    const filter = { number: items.map((item) => item.number) };
    this.#setPending(items, pendingWord(what));
    try {
      const answer = await this.#live.call('items.bulk', { project, ...what, filter });
      const { skipped } = answer;
      const text = outcomeOf(what, answer);
      if (skipped === 0) toast({ tone: 'done', text: `${text}.` });
      else toast({ tone: 'warn', text: `${text}, ${skipped} not.`, hint: await this.#whyNot(filter, what) });
    } catch (error) {
      toast({ tone: 'warn', ...explainRefusal(verbs[what.action], countItems(items.length), error) });
    } finally {
      this.#setPending(items, undefined);
    }
  }

  /** Of a cancel, by name, who had finished one before; of the rest, what they must have been. */
  async #whyNot(filter: { number: number[] }, what: Steering): Promise<string> {
    const inGeneral = `The others were ${passedOver[what.action]}.`;
    if (what.action !== 'cancel') return inGeneral;
    const done = { project: this.#live.ref, ...filter, status: ['done' as const], limit: 1 };
    const { items, total } = await this.#live.call('item.list', done).catch(() => ({ items: [], total: 0 }));
    const [one] = items;
    if (!one) return inGeneral;
    return `${overtaken('cancel', one)}${total > 1 ? ` And ${total - 1} more.` : ''}`;
  }

  /** Whether it came to pass; why not is told in a toast. */
  async #one(item: Item, what: Steering): Promise<boolean> {
    const refused = await this.#run(item, what);
    if (refused) toast({ tone: 'warn', ...refused });
    return !refused;
  }

  /** Why it did not come to pass, if it did not. One at a time for an item. */
  async #run(item: Item, what: Steering): Promise<Refused | undefined> {
    if (isSo(item, what)) return undefined;
    if (this.pending.has(item.id)) return { text: `#${item.number} is being changed already.` };
    this.#setPending([item], pendingWord(what));
    try {
      const answer = await this.#ask(item.id, what);
      this.#live.learn(answer.item);
      return undefined;
    } catch (error) {
      const now = await this.#live.call('item.get', { id: item.id }).catch(() => undefined);
      if (now) this.#live.learn(now.item);
      return explainRefusal(verbs[what.action], now?.item ?? item, error);
    } finally {
      this.#setPending([item], undefined);
    }
  }

  #ask(id: string, what: Steering): Promise<{ item: Item }> {
    if (what.action === 'retry') return this.#live.call('item.retry', { id });
    if (what.action === 'set_priority')
      return this.#live.call('item.update', { id, priority: what.priority });
    const { dependents = 'block', reason } = what;
    return this.#live.call('item.cancel', { id, dependents, ...(reason ? { reason } : {}) });
  }

  #setPending(items: readonly Item[], word: string | undefined): void {
    const pending = new Map(this.pending);
    for (const { id } of items) {
      if (word === undefined) pending.delete(id);
      else pending.set(id, word);
    }
    this.pending = pending;
  }
}

const isSo = (item: Item, what: Steering) =>
  what.action === 'set_priority' && item.priority === what.priority;

/** What is said of an item while it is under way. */
function pendingWord(what: Steering): string {
  if (what.action === 'cancel') return 'cancelling';
  if (what.action === 'retry') return 'retrying';
  return `to P${what.priority}`;
}

const key = Symbol('item actions');

export function provideActions(actions: () => ItemActions): void {
  setContext(key, actions);
}

export function useActions(): () => ItemActions {
  return getContext<() => ItemActions>(key);
}
