import type { CommandOutput } from '@switchyard/shared/commands';
import { conflictsOfItem } from '../domain/conflicts.ts';
import type { Standing } from '../domain/standing.ts';
import type { Call } from './call.ts';

type Explanation = Omit<CommandOutput<'item.explain'>, 'item'>;

const stopMessages: Record<string, string> = {
  done: 'It is done.',
  cancelled: 'It was cancelled. item.retry puts it back into the queue.',
};

/** Why an item is, or is not, claimable, in words that say what would change it. */
export async function explain(call: Call, standing: Standing): Promise<Explanation> {
  const reasons: Explanation['reasons'] = [];
  const { status } = standing;
  if (status === 'claimed') {
    const alive = standing.connected ? 'is connected' : 'is not connected';
    reasons.push({
      code: 'CLAIMED',
      message: `${standing.agent_id} holds it since ${standing.assigned_at}, ${alive}, and its lease ends at ${standing.lease_expires_at} unless it gives a sign of life.`,
    });
  }
  if (stopMessages[status]) reasons.push({ code: status.toUpperCase(), message: stopMessages[status] });
  if (standing.stopping) {
    reasons.push({
      code: 'STOPPING',
      message: `${standing.agent_id} has been told to stop and has not yet confirmed it.`,
    });
  }
  if (status === 'failed') reasons.push(failure(standing));
  if (status === 'todo' || status === 'failed') reasons.push(...standing.blockers.map(blocker));
  if (standing.denied) reasons.push(...(await conflicts(call, standing)));
  const ready = status === 'todo' && reasons.length === 0;
  if (ready) reasons.push({ code: 'READY', message: 'It is ready: the next agent that asks may claim it.' });
  return { ready, reasons, ...(status === 'claimed' ? { holder: holder(standing) } : {}) };
}

function failure(standing: Standing): Explanation['reasons'][number] {
  return standing.retry_at
    ? {
        code: 'RETRY_PENDING',
        message: `It failed and is retried at ${standing.retry_at}.`,
        retry_at: standing.retry_at,
      }
    : {
        code: 'FAILED',
        message: `It failed, and ${
          standing.attempts_left ? 'its agent said that trying again would not help' : 'no attempts remain'
        }. item.retry puts it back into the queue.`,
      };
}

function blocker(one: Standing['blockers'][number]): Explanation['reasons'][number] {
  const item = { item_id: one.id, number: one.number, status: one.status };
  const name = `#${one.number} "${one.title}"`;
  if (one.child)
    return {
      code: 'CHILD_OPEN',
      message: `Its child ${name} is ${one.status}; a parent comes last.`,
      ...item,
    };
  if (one.status === 'cancelled') {
    return {
      code: 'DEPENDENCY_CANCELLED',
      message: `It depends on ${name}, which was cancelled. Retry that one, or take it out of the dependencies.`,
      ...item,
    };
  }
  if (one.status === 'failed') {
    return {
      code: 'DEPENDENCY_FAILED',
      message: `It depends on ${name}, which failed. Retry that one, or drop the dependency.`,
      ...item,
    };
  }
  return { code: 'DEPENDENCY_OPEN', message: `It depends on ${name}, which is ${one.status}.`, ...item };
}

async function conflicts(call: Call, standing: Standing): Promise<Explanation['reasons']> {
  const found = await call.hub.db.read((sql) => conflictsOfItem(sql, standing.id));
  return found.map((one) => ({
    code: 'FILE_CONFLICT',
    message: `It shares ${one.conflicting_files.slice(0, 3).join(', ')} with #${one.number}, which ${one.agent_id} works on, and its policy is deny.`,
    conflict: one,
  }));
}

function holder(standing: Standing): NonNullable<Explanation['holder']> {
  return {
    agent_id: standing.agent_id!,
    session_id: standing.session_id!,
    connected: standing.connected,
    last_seen_at: standing.last_seen_at ?? standing.assigned_at!,
    lease_expires_at: standing.lease_expires_at!,
    attempt: standing.attempt,
  };
}
