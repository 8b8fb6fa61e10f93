import type { Item } from '@switchyard/shared/item';
import type { CommandInput, CommandOutput } from '@switchyard/shared/commands';
import { formatCount } from '#lib/format.ts';
import type { Action } from '#lib/keys/registry.svelte.ts';

export type BulkAnswer = CommandOutput<'items.bulk'>;

export type Dependents = NonNullable<CommandInput<'item.cancel'>['dependents']>;

/** What an operator does to items, to one or to many. */
export type Steering =
  | { action: 'cancel'; dependents?: Dependents; reason?: string }
  | { action: 'retry' }
  | { action: 'set_priority'; priority: number };

/** A cancel, as the form has it. */
export const cancelling = (dependents: Dependents, reason: string): Steering => ({
  action: 'cancel',
  dependents,
  ...(reason.trim() ? { reason: reason.trim() } : {}),
});

export const mayCancel = ({ status }: Item) =>
  status === 'todo' || status === 'claimed' || status === 'failed';
export const mayRetry = ({ status }: Item) => status === 'failed' || status === 'cancelled';
export const mayReprioritise = ({ status }: Item) => status !== 'done' && status !== 'cancelled';

/** Whether an item may have this done to it. */
export const may: Record<Steering['action'], (item: Item) => boolean> = {
  cancel: mayCancel,
  retry: mayRetry,
  set_priority: mayReprioritise,
};

/** The keys for it, which are the same on every screen. */
export function steeringActions(
  run: (what: Steering) => void,
  enabled: (action: Steering['action']) => boolean,
): Action[] {
  const one = (id: string, label: string, key: string, what: Steering): Action => ({
    id: `item.${id}`,
    label,
    group: 'Item',
    keys: [key],
    run: () => run(what),
    enabled: () => enabled(what.action),
  });
  return [
    one('retry', 'Retry', 'r', { action: 'retry' }),
    one('cancel', 'Cancel', 'backspace', { action: 'cancel' }),
    ...[...'0123456789'].map((digit) => ({
      ...one(`priority.${digit}`, `Priority P${digit}`, digit, {
        action: 'set_priority',
        priority: Number(digit),
      }),
      series: 'Priority, P0 to P9',
    })),
  ];
}

/** "12 items", "1 item". */
export const countItems = (count: number) => `${formatCount(count)} ${count === 1 ? 'item' : 'items'}`;

/** What came of a command about many: "12 items cancelled, and 2 items that waited for them". */
export function outcomeOf(what: Steering, { done, along = 0 }: Pick<BulkAnswer, 'done' | 'along'>): string {
  const words = {
    cancel: 'cancelled',
    retry: 'put back in the queue',
    set_priority: `set to P${what.action === 'set_priority' ? what.priority : ''}`,
  };
  const others = along > 0 ? `, and ${countItems(along)} that waited for them` : '';
  return `${countItems(done)} ${words[what.action]}${others}`;
}

/** Why some were passed over. */
export const passedOver: Record<Steering['action'], string> = {
  cancel: 'over already',
  retry: 'neither failed nor cancelled',
  set_priority: 'over, or of that priority already',
};
