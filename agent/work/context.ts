import type { CommandInput } from '@switchyard/shared/commands';
import type { Conflict, Item } from '@switchyard/shared/item';

/**
 * Why a handler is to stop; `signal.reason` of its context.
 *
 *     if (signal.reason instanceof Stopped && signal.reason.why === 'cancelled') await cleanUp();
 */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  /**
   * `cancelled`: an operator cancelled the item; the hub hears that the work stopped once the handler has returned.
   * `lost`: the claim is somebody else's, or may be by now. `shutdown`: this worker is closing; the item goes back.
   */
  readonly why: 'cancelled' | 'lost' | 'shutdown';

  constructor(why: Stopped['why'], message: string) {
    super(message);
    this.why = why;
  }
}

/**
 * Thrown by a handler: the item failed, and trying again would not help.
 *
 *     throw new DoNotRetry('The schema is frozen.');
 */
export class DoNotRetry extends Error {
  override readonly name = 'DoNotRetry';
}

/** What a handler may return in place of a plain summary. */
export interface Completion {
  /** 1 to 50,000 characters. */
  result_summary: string;
  /** Paths besides those reported already. */
  files_modified?: string[];
}

/** Children of the item in hand, as `item.create` takes them; `ref` names one within the array. */
export type SubItem = Omit<
  Extract<CommandInput<'item.create'>, { items: unknown }>['items'][number],
  'parent_item_id'
>;

/** What a handler gets: one claimed item, and how to speak of it while it works. Heartbeats need no help. */
export interface WorkContext {
  readonly item: Item;
  readonly attempt: number;
  /** The conflicts of this claim as they now stand. */
  readonly conflicts: readonly Conflict[];
  /** Aborted when the work is to stop; its reason is a {@link Stopped}. */
  readonly signal: AbortSignal;
  /**
   * Says how far it is: 0 to 100, or null when that is not known; a note is cut to 500 characters. Goes with the
   * heartbeats, at most once a second. Throws a `RangeError` for what is no number.
   *
   *     progress(50, 'tables done');
   */
  readonly progress: (percent: number | null, note?: string) => void;
  /**
   * Adds to the files that the work touches; answers with the conflicts as they now stand. Waits out an outage. Throws
   * the {@link Stopped} when the claim is over by then, and the hub's `Refusal` of a path that is none.
   *
   *     const conflicts = await reportFiles(['src/a.ts']);
   */
  readonly reportFiles: (paths: readonly string[]) => Promise<readonly Conflict[]>;
  /**
   * Hears the conflicts as they stand after each change; called at once when there are some already.
   *
   *     onConflict((conflicts) => console.log(conflicts.map(({ agent_id }) => agent_id)));
   */
  readonly onConflict: (heard: (conflicts: readonly Conflict[]) => void) => void;
  /**
   * Creates children of this item. Throw or return what it answers with to give the item back until they are done.
   * Throws as `reportFiles` does.
   *
   *     return split([{ title: 'Front' }, { title: 'Back' }]);
   */
  readonly split: (children: readonly SubItem[], reason?: string) => Promise<Split>;
}

/** Returned by a handler whose item was split: it goes back to the queue, and is offered again when its children are done. */
export class Split {
  readonly children: readonly Item[];
  readonly reason: string;

  constructor(children: readonly Item[], reason: string) {
    this.children = children;
    this.reason = reason;
  }
}

export type Handler = (context: WorkContext) => Promise<string | Completion | Split | void>;
