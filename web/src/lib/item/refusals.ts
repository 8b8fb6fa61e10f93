import type { Item, Status } from '@switchyard/shared/item';
import { HubError } from '#lib/api.ts';

export type Verb = 'cancel' | 'retry' | 'reprioritise' | 'change';

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

/** What happened and what to do, of a command that was refused. */
export function explainRefusal(verb: Verb, item: Item, error: unknown): Refused {
  const about = `Could not ${verb} #${item.number}`;
  if (!(error instanceof HubError)) return { text: `${about}: ${String(error)}` };
  const status = error.details.status as Status | undefined;
  if (error.code === 'INVALID_TRANSITION' && status && status in became)
    return { text: `${about}: ${became[status](item)}.` };
  if (error.code === 'VERSION_MISMATCH')
    return {
      text: `${about}: somebody changed it meanwhile.`,
      hint: 'Look at it as it is now, and try again.',
    };
  if (error.code === 'FORBIDDEN')
    return { text: `${about}: this token may only look.`, hint: 'Sign in with an operator’s token.' };
  if (error.code === 'NOT_FOUND') return { text: `${about}: it is not there any more.` };
  return { text: `${about}.`, hint: error.message };
}
