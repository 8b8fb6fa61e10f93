import { HubError } from '#lib/api.ts';
import { explainRefusal, verbs } from '#lib/item/refusals.ts';
import {
  cancelling,
  countItems,
  outcomeOf,
  passedOver,
  type Dependents,
  type Steering,
} from '#lib/item/steering.ts';
import type { Filter } from '#lib/live/matching.ts';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { toast } from '#lib/ui/toasts.svelte.ts';

/** What is about to be done to all that match. */
export interface BulkQuestion {
  what: Steering;
  filter: Filter;
  /** How many there were when it was asked: the hub refuses if others have come or gone. */
  count: number;
  /** Another number matched when it was tried. */
  changed: boolean;
}

/** One command for all that match, after a question. */
export class Bulk {
  asking = $state.raw<BulkQuestion>();
  busy = $state(false);
  readonly #live: () => ProjectLive;

  constructor(live: () => ProjectLive) {
    this.#live = live;
  }

  ask(what: Steering, filter: Filter, count: number): void {
    if (!this.busy) this.asking = { what, filter, count, changed: false };
  }

  /** Does it. Whether it was done; if not, the question stays, with what is new. */
  async run(dependents: Dependents, reason: string): Promise<boolean> {
    const question = this.asking;
    if (!question || this.busy) return false;
    const { filter, count } = question;
    const what = question.what.action === 'cancel' ? cancelling(dependents, reason) : question.what;
    this.busy = true;
    try {
      const live = this.#live();
      const answer = await live.call('items.bulk', {
        project: live.ref,
        ...what,
        filter,
        expected_count: count,
      });
      this.asking = undefined;
      const { skipped } = answer;
      const hint =
        skipped > 0 ? { hint: `${countItems(skipped)} passed over: ${passedOver[what.action]}.` } : {};
      toast({ tone: 'done', text: `${outcomeOf(what, answer)}.`, ...hint });
      return true;
    } catch (error) {
      const now =
        error instanceof HubError && error.code === 'VERSION_MISMATCH' ? error.details.count : undefined;
      if (typeof now === 'number') this.asking = { ...question, count: now, changed: true };
      else {
        this.asking = undefined;
        toast({ tone: 'warn', ...explainRefusal(verbs[what.action], countItems(count), error) });
      }
      return false;
    } finally {
      this.busy = false;
    }
  }
}
