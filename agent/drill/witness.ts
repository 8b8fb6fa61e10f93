import { isDeepStrictEqual } from 'node:util';
import type { Event, EventType } from '@switchyard/shared/item';
import type { Violation } from './check.ts';

/** A change that the hub acknowledged to an agent. */
export interface Acknowledged {
  type: EventType;
  item_id: string;
  attempt: number;
  session_id: string;
}

/** What the hub acknowledged must be in the log, once, under the same attempt and session. */
export function checkAcknowledged(
  acknowledged: readonly Acknowledged[],
  events: readonly Event[],
): Violation[] {
  const key = ({ type, item_id, attempt, session_id }: Acknowledged | Event) =>
    [type, item_id, attempt, session_id].join(' ');
  const times = new Map<string, number>();
  for (const event of events) times.set(key(event), (times.get(key(event)) ?? 0) + 1);
  return acknowledged
    .filter((one) => times.get(key(one)) !== 1)
    .map((one) => ({
      rule: 'acknowledged',
      message: `${one.type} of ${one.item_id}, attempt ${one.attempt}, is in the log ${times.get(key(one)) ?? 0} times`,
    }));
}

/** Where nothing else goes wrong, only the claims of killed agents are lost. */
export function checkLost(killedSessions: ReadonlySet<string>, events: readonly Event[]): Violation[] {
  return events
    .filter(
      ({ data, session_id }) => data.reason === 'lease_expired' && !killedSessions.has(session_id ?? ''),
    )
    .map(({ seq, actor, session_id }) => ({
      rule: 'early',
      seq,
      message: `${actor} took a claim from session ${session_id}, which was not killed`,
    }));
}

/** A watcher must have seen exactly the log, in its order, without having had to ask for what was missing. */
export function checkWatched(seen: readonly Event[], gaps: number, events: readonly Event[]): Violation[] {
  const violations: Violation[] = [];
  if (gaps > 0) violations.push({ rule: 'watched', message: `${gaps} gaps in what was sent` });
  const length = Math.max(seen.length, events.length);
  for (let n = 0; n < length && violations.length < 5; n += 1) {
    const [sent, logged] = [seen[n], events[n]];
    if (sent && logged && isDeepStrictEqual(essence(sent), essence(logged))) continue;
    violations.push({
      rule: 'watched',
      message: `watched ${sent ? `${sent.seq} ${sent.type}` : 'nothing'}, logged ${logged ? `${logged.seq} ${logged.type}` : 'nothing'}`,
    });
  }
  return violations;
}

const essence = ({ seq, type, at, actor, item_id, attempt, session_id, data }: Event) => ({
  seq,
  type,
  at,
  actor,
  item_id,
  attempt,
  session_id,
  data,
});
