import type { CommandOutput } from '@switchyard/shared/commands';
import type { Event } from '@switchyard/shared/item';

type Attempt = CommandOutput<'item.history'>['attempts'][number];

/** The attempts at an item, read off its events. */
export function attemptsOf(events: readonly Event[]): Attempt[] {
  const attempts = new Map<number, Attempt>();
  for (const event of events) {
    if (event.attempt === null) continue;
    if (event.type === 'item.claimed') {
      attempts.set(event.attempt, {
        attempt: event.attempt,
        agent_id: String(event.data.assigned_agent_id),
        session_id: event.session_id,
        started_at: event.at,
        ended_at: null,
        outcome: 'running',
        reason: null,
      });
    }
    const outcome = outcomeOf(event);
    const attempt = attempts.get(event.attempt);
    if (!outcome || !attempt || attempt.outcome !== 'running') continue;
    attempt.outcome = outcome;
    attempt.ended_at = event.at;
    attempt.reason = (event.data.failure_reason ?? event.data.reason ?? null) as string | null;
  }
  return [...attempts.values()];
}

function outcomeOf(event: Event): Attempt['outcome'] | undefined {
  if (event.data.reason === 'lease_expired') return 'lease_expired';
  if (event.type === 'item.completed') return 'completed';
  if (event.type === 'item.failed') return 'failed';
  if (event.type === 'item.released') return 'released';
  if (event.type === 'item.cancelled') return 'cancelled';
  return undefined;
}
