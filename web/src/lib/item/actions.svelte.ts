import type { Item } from '@switchyard/shared/item';
import { getContext, setContext } from 'svelte';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { toast } from '#lib/ui/toasts.svelte.ts';
import { explainRefusal, type Refused, type Verb } from './refusals.ts';
import { outcomeOf, type Dependents, type Steering } from './steering.ts';

/** So many commands are under way at once when several items were chosen. */
const atOnce = 8;

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

  cancel(item: Item, dependents: Dependents = 'block', reason?: string): Promise<boolean> {
    return this.#one(item, { action: 'cancel', dependents, ...(reason ? { reason } : {}) });
  }

  retry(item: Item): Promise<boolean> {
    return this.#one(item, { action: 'retry' });
  }

  setPriority(item: Item, priority: number): Promise<boolean> {
    return this.#one(item, { action: 'set_priority', priority });
  }

  /** The same to each. What came of several is told in one toast: how many, and why not the others. */
  async steer(items: readonly Item[], what: Steering): Promise<void> {
    const [first, ...more] = items;
    if (!first) return;
    if (more.length === 0) {
      await this.#one(first, what);
      return;
    }
    const waiting = [...items];
    const refusals: Refused[] = [];
    const work = async () => {
      for (let item = waiting.shift(); item; item = waiting.shift()) {
        const refused = await this.#run(item, what);
        // Cancelled along with another of them: just what was wanted.
        const anyway = what.action === 'cancel' && this.#live.item(item.id)?.status === 'cancelled';
        if (refused && !anyway) refusals.push(refused);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    const text = outcomeOf(what, items.length - refusals.length);
    const [why, ...others] = refusals;
    if (!why) toast({ tone: 'done', text: `${text}.` });
    else
      toast({
        tone: 'warn',
        text: `${text}, ${refusals.length} not.`,
        hint: `${why.text}${others.length > 0 ? ` And ${others.length} more.` : ''}`,
      });
  }

  /** Whether it came to pass; why not is told in a toast. */
  async #one(item: Item, what: Steering): Promise<boolean> {
    const refused = await this.#run(item, what);
    if (refused) toast({ tone: 'warn', ...refused });
    return !refused;
  }

  /** Why it did not come to pass, if it did not. One at a time for an item. */
  async #run(item: Item, what: Steering): Promise<Refused | undefined> {
    if (what.action === 'set_priority' && item.priority === what.priority) return undefined;
    if (this.pending.has(item.id)) return { text: `#${item.number} is being changed already.` };
    const [verb, word] = wordsOf(what);
    this.#setPending(item.id, word);
    try {
      const answer = await this.#ask(item.id, what);
      this.#live.learn(answer.item);
      return undefined;
    } catch (error) {
      const now = await this.#live.call('item.get', { id: item.id }).catch(() => undefined);
      if (now) this.#live.learn(now.item);
      return explainRefusal(verb, now?.item ?? item, error);
    } finally {
      this.#setPending(item.id, undefined);
    }
  }

  #ask(id: string, what: Steering): Promise<{ item: Item }> {
    if (what.action === 'retry') return this.#live.call('item.retry', { id });
    if (what.action === 'set_priority')
      return this.#live.call('item.update', { id, priority: what.priority });
    const { dependents = 'block', reason } = what;
    return this.#live.call('item.cancel', { id, dependents, ...(reason ? { reason } : {}) });
  }

  #setPending(id: string, word: string | undefined): void {
    const pending = new Map(this.pending);
    if (word === undefined) pending.delete(id);
    else pending.set(id, word);
    this.pending = pending;
  }
}

/** As a verb, and while it is under way. */
function wordsOf(what: Steering): [Verb, string] {
  if (what.action === 'cancel') return ['cancel', 'cancelling'];
  if (what.action === 'retry') return ['retry', 'retrying'];
  return ['reprioritise', `to P${what.priority}`];
}

const key = Symbol('item actions');

export function provideActions(actions: () => ItemActions): void {
  setContext(key, actions);
}

export function useActions(): () => ItemActions {
  return getContext<() => ItemActions>(key);
}
