import { Refusal } from '@switchyard/shared/errors';
import { maySee } from '../caller.ts';
import { conflictsOfFiles, conflictsOfItem } from '../domain/conflicts.ts';
import { endOfAttempt } from '../domain/ending.ts';
import { patternsOf } from '../domain/patterns.ts';
import { standingOf, type Standing } from '../domain/standing.ts';
import { noSuchItem, type Call } from './call.ts';

/** How an item stands, or NOT_FOUND. */
export async function standingFor(call: Call, id: string): Promise<Standing> {
  const standing = await call.hub.db.read((sql) => standingOf(sql, id));
  if (!standing || !maySee(call.caller, standing.project_id)) throw noSuchItem(id);
  return standing;
}

/** Why a claim did not come about; null when it would by now. */
export async function claimRefusal(call: Call, standing: Standing, files: string[]): Promise<Refusal | null> {
  const name = `#${standing.number}`;
  if (standing.status === 'claimed') {
    return new Refusal(
      'ALREADY_CLAIMED',
      `${name} is claimed by ${standing.agent_id}. Take another: item.claim_next.`,
      {
        holder: standing.agent_id,
        assigned_at: standing.assigned_at,
        lease_expires_at: standing.lease_expires_at,
        holder_connected: standing.connected,
      },
    );
  }
  // A retry that falls due brings a failed item back by itself; nothing brings back the others.
  if (standing.retry_at !== null) return notReady(standing);
  if (standing.status !== 'todo') return wrongStatus(standing, 'item.claim');
  if (standing.blocked_by.length > 0) return notReady(standing);
  const { db } = call.hub;
  const conflicts = [
    ...(standing.denied ? await db.read((sql) => conflictsOfItem(sql, standing.id)) : []),
    ...(files.length > 0
      ? await db.read((sql) => conflictsOfFiles(sql, standing.project_id, files, [], patternsOf(files)))
      : []),
  ];
  if (conflicts.length === 0) return null;
  const others = conflicts.map((one) => `#${one.number} (${one.agent_id})`).join(', ');
  return new Refusal(
    'FILE_CONFLICT',
    `${name} shares files with ${others}, and its policy is deny. Wait for them or take another.`,
    {
      conflicts,
    },
  );
}

function notReady(standing: Standing): Refusal {
  const blockers = standing.blockers
    .map((one) => `#${one.number} (${one.child ? 'child, ' : ''}${one.status})`)
    .join(', ');
  const why = blockers ? `waits for ${blockers}` : `is retried at ${standing.retry_at}`;
  return new Refusal('NOT_READY', `#${standing.number} is not ready: it ${why}. item.explain says more.`, {
    blocked_by: standing.blocked_by,
    open_children: standing.blockers.filter((one) => one.child).map((one) => one.id),
    retry_at: standing.retry_at,
  });
}

/** The state machine has no such arrow. */
export function wrongStatus(standing: Standing, command: string): Refusal {
  const doing = command.replace('item.', '');
  return new Refusal(
    'INVALID_TRANSITION',
    `#${standing.number} is ${standing.status}: ${doing} does not apply to it.`,
    {
      status: standing.status,
      command,
    },
  );
}

const lossReasons: Record<string, string> = {
  completed: 'that attempt was completed',
  failed: 'that attempt failed',
  released: 'it was released',
  lease_expired: 'its lease ended without a sign of life',
  cancelled: 'it was cancelled',
  not_the_holder: 'another session holds it',
  no_such_attempt: 'it has had no such attempt yet',
};

/** Why a write by an agent was refused by the fence; null when it would pass by now. */
export async function fenceRefusal(
  call: Call,
  standing: Standing,
  claim: { attempt: number; agentId: string; sessionId: string | null },
  command: string,
): Promise<Refusal | null> {
  const holds =
    claim.sessionId === null ? standing.agent_id === claim.agentId : standing.session_id === claim.sessionId;
  if (standing.status === 'claimed' && standing.attempt === claim.attempt && holds) return null;
  // An attempt that never was cannot have been lost.
  if (claim.attempt > standing.attempt && standing.status !== 'claimed')
    return wrongStatus(standing, command);
  const ended = await call.hub.db.read((sql) => endOfAttempt(sql, standing.id, claim.attempt));
  const reason = ended ?? (claim.attempt > standing.attempt ? 'no_such_attempt' : 'not_the_holder');
  return new Refusal(
    'CLAIM_LOST',
    `This claim of #${standing.number} is not yours any more: ${lossReasons[reason]}. Stop work on it and do not send this again.`,
    {
      status: standing.status,
      attempt: standing.attempt,
      holder: standing.status === 'claimed' ? standing.agent_id : null,
      reason,
    },
  );
}
