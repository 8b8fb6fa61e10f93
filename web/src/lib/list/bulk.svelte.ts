import { HubError } from '#lib/api.ts';
import { countItems, outcomeOf, type Dependents, type Steering } from '#lib/item/steering.ts';
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
    const { what, filter, count } = question;
    this.busy = true;
    try {
      const {
        done,
        skipped,
        along = 0,
      } = await this.#live().call('items.bulk', {
        project: this.#live().name,
        action: what.action,
        filter,
        expected_count: count,
        ...(what.action === 'set_priority' ? { priority: what.priority } : {}),
        ...(what.action === 'cancel' ? { dependents, ...(reason ? { reason } : {}) } : {}),
      });
      this.asking = undefined;
      toast({
        tone: 'done',
        text: `${outcomeOf(what, done)}${wentAlong(along)}.`,
        ...passedOver(what, skipped),
      });
      return true;
    } catch (error) {
      const now =
        error instanceof HubError && error.code === 'VERSION_MISMATCH' ? error.details.count : undefined;
      if (typeof now === 'number') this.asking = { ...question, count: now, changed: true };
      else {
        this.asking = undefined;
        toast({
          tone: 'failed',
          text: 'Nothing may have been changed.',
          hint: String((error as Error).message),
        });
      }
      return false;
    } finally {
      this.busy = false;
    }
  }
}

const wentAlong = (along: number) => (along > 0 ? `, and ${countItems(along)} that waited for them` : '');

function passedOver({ action }: Steering, skipped: number): { hint?: string } {
  if (skipped === 0) return {};
  const why = {
    cancel: 'over already',
    retry: 'neither failed nor cancelled',
    set_priority: 'over, or of that priority already',
  };
  return { hint: `${countItems(skipped)} passed over: ${why[action]}.` };
}
