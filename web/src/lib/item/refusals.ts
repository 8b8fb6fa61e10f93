import type { Item, Status } from '@switchyard/shared/item';
import { HubError } from '#lib/api.ts';
import type { Steering } from './steering.ts';

export type Verb = 'cancel' | 'retry' | 'reprioritise' | 'change';

export const verbs = {
  cancel: 'cancel',
  retry: 'retry',
  set_priority: 'reprioritise',
} as const satisfies Record<Steering['action'], Verb>;

export interface Refused {
  text: string;
  hint?: string;
}

const became: Record<Status, (item: Item) => string> = {
  todo: () => 'it is in the queue already',
  claimed: (item) => `${item.assigned_agent_id ?? 'an agent'} has claimed it meanwhile`,
  done: (item) => `${item.assigned_agent_id ?? 'somebody'} finished it first`,
  failed: () => 'it has failed meanwhile',
  cancelled: () => 'it is cancelled already',
};

/** What had happened to an item before a command about it came. */
export const overtaken = (verb: Verb, item: Item) =>
  `Could not ${verb} #${item.number}: ${became[item.status](item)}.`;

/** What happened and what to do, of a command that was refused: about one item, or "12 items". */
export function explainRefusal(verb: Verb, of: Item | string, error: unknown): Refused {
  const [item, name] = typeof of === 'string' ? [undefined, of] : [of, `#${of.number}`];
  const about = `Could not ${verb} ${name}`;
  if (!(error instanceof HubError)) return { text: `${about}: ${String(error)}` };
  const status = error.details.status as Status | undefined;
  if (error.code === 'INVALID_TRANSITION' && item && status && status in became)
    return { text: overtaken(verb, { ...item, status }) };
  if (error.code === 'VERSION_MISMATCH')
    return {
      text: `${about}: somebody changed it meanwhile.`,
      hint: 'Look at it as it is now, and try again.',
    };
  if (error.code === 'FORBIDDEN')
    return { text: `${about}: this token may only look.`, hint: 'Sign in with an operator’s token.' };
  if (error.code === 'NOT_FOUND' && item) return { text: `${about}: it is not there any more.` };
  return { text: `${about}.`, hint: error.message };
}
