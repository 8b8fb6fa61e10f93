// One list of what can be done feeds the key handler, the help and the palette, so that none of them lags behind.
import { untrack } from 'svelte';

export type ActionGroup = 'Move' | 'Item' | 'View' | 'Go to' | 'General';

export interface Action {
  /** Its name among all, such as "item.cancel"; a later one of the same name stands in for an earlier. */
  id: string;
  label: string;
  group: ActionGroup;
  /** "j", "mod+k", "shift+j", "g b" (one after the other). Several do the same. */
  keys: readonly string[];
  run: () => void;
  /** Whether it can be done now; when left out, always. */
  enabled?: () => boolean;
  /** Several of one kind, in a row, with which the help can do in one line: the name of all. */
  series?: string;
  /** For the hands only: not offered in the palette. */
  keysOnly?: boolean;
}

let sources = $state.raw<readonly (() => readonly Action[])[]>([]);

/**
 * Offers actions while the component lives.
 *
 *     offerActions(() => [{ id: 'item.retry', label: 'Retry', group: 'Item', keys: ['r'], run: retry }]);
 */
export function offerActions(actions: () => readonly Action[]): void {
  $effect(() => {
    sources = [...untrack(() => sources), actions];
    return () => {
      sources = untrack(() => sources).filter((one) => one !== actions);
    };
  });
}

/** All that are offered now; of one id the latest. */
export function offered(): Action[] {
  return [...new Map(sources.flatMap((source) => source()).map((action) => [action.id, action])).values()];
}

export const isEnabled = (action: Action) => action.enabled?.() ?? true;
