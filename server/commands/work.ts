import type { CommandOutput, ParsedInput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import type { Claim } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import { agentIdOf, type Session } from '../caller.ts';
import { unavailable } from '../db/outage.ts';
import { conflictsOfFiles } from '../domain/conflicts.ts';
import type { HeldEntry } from '../domain/held.ts';
import type { Entry, LogRow } from '../domain/journal.ts';
import { patternsOf } from '../domain/patterns.ts';
import { remember } from '../domain/requests.ts';
import { httpSession } from '../domain/sessions.ts';
import type { Standing } from '../domain/standing.ts';
import { plain, verbatim } from '../json.ts';
import type { Work } from '../lanes.ts';
import {
  AnsweredBefore,
  identityOf,
  perform,
  projectFor,
  projectIdFor,
  projectOf,
  type Call,
} from './call.ts';
import { claimRefusal, fenceRefusal, standingFor } from './refusals.ts';

type ClaimAnswer = CommandOutput<'item.claim'>;
type NextAnswer = CommandOutput<'item.claim_next'>;

// A batch may leave an entry undone for the sake of its neighbours; asked alone it gets a straight answer.
const triesMax = 5;

/** An agent's commands: claim, report, finish. */
export const work = {
  'item.claim': async (call: Call, input: ParsedInput<'item.claim'>): Promise<ClaimAnswer> => {
    const projectId = await projectOf(call, input.id);
    const session = await sessionFor(call, projectId, input.agent_id);
    const entry = { ...claimEntry(call, session, input), id: input.id };
    for (let tries = 1; tries <= triesMax; tries++) {
      const { rows } = await perform(call, projectId, call.hub.works.claim, entry, { alone: tries > 1 });
      const row = rows.find((one) => one.type === 'item.claimed');
      if (row) return claimAnswer(row);
      const standing = await standingFor(call, input.id);
      if (standing.status === 'claimed' && standing.session_id === session.id) {
        const held = await claimHeld(call, session, standing);
        if (held) return held;
        continue;
      }
      const refusal = await claimRefusal(call, standing, input.files ?? []);
      if (refusal) throw refusal;
    }
    throw unavailable();
  },

  'item.claim_next': async (call: Call, input: ParsedInput<'item.claim_next'>): Promise<NextAnswer> => {
    const projectId = await projectIdFor(call, input.project);
    const session = await sessionFor(call, projectId, input.agent_id);
    return nextFor(call, session, input);
  },

  'item.heartbeat': async (
    call: Call,
    input: ParsedInput<'item.heartbeat'>,
  ): Promise<CommandOutput<'item.heartbeat'>> => {
    const who = await claimantOf(call, input);
    const entry = { ...heldEntry(call, who, input), progress: input.progress, note: input.note };
    const row = await changeClaim(call, who, call.hub.works.reportProgress, entry, 'item.heartbeat');
    return { item: verbatim(row.item!), lease_expires_at: row.lease_expires_at! };
  },

  'item.report_files': async (
    call: Call,
    input: ParsedInput<'item.report_files'>,
  ): Promise<CommandOutput<'item.report_files'>> => {
    const who = await claimantOf(call, input);
    const entry = { ...heldEntry(call, who, input), files: input.files, patterns: patternsOf(input.files) };
    const row = await changeClaim(call, who, call.hub.works.reportFiles, entry, 'item.report_files');
    return { item: verbatim(row.item!), conflicts: conflictsIn(row) };
  },

  'item.check_files': async (
    call: Call,
    input: ParsedInput<'item.check_files'>,
  ): Promise<CommandOutput<'item.check_files'>> => {
    const projectId = await projectIdFor(call, input.project);
    const agentId = agentIdOf(call.caller, input.agent_id);
    const conflicts = await call.hub.db.read((sql) =>
      conflictsOfFiles(sql, projectId, input.files, [], patternsOf(input.files), { agentId }),
    );
    return { conflicts };
  },

  'item.complete': async (
    call: Call,
    input: ParsedInput<'item.complete'>,
  ): Promise<CommandOutput<'item.complete'>> => {
    const who = await claimantOf(call, input);
    const files = input.files_modified;
    const entry = {
      ...heldEntry(call, who, input),
      result_summary: input.result_summary,
      files,
      patterns: patternsOf(files),
    };
    return finish(call, who, input, call.hub.works.complete, entry, 'item.complete');
  },

  'item.fail': async (call: Call, input: ParsedInput<'item.fail'>): Promise<CommandOutput<'item.fail'>> => {
    const who = await claimantOf(call, input);
    const { failure_reason, retryable } = input;
    const entry = { ...heldEntry(call, who, input), failure_reason, retryable };
    return finish(call, who, input, call.hub.works.fail, entry, 'item.fail');
  },

  'item.release': async (
    call: Call,
    input: ParsedInput<'item.release'>,
  ): Promise<CommandOutput<'item.release'>> => {
    const who = await claimantOf(call, input);
    const entry = { ...heldEntry(call, who, input), reason: input.reason ?? null };
    const row = await changeClaim(call, who, call.hub.works.release, entry, 'item.release');
    return { item: verbatim(row.item!) };
  },
};

/** For whom a claim is made: the socket's session, or the one that an agent has over HTTP. */
async function sessionFor(call: Call, projectId: string, named: string | undefined): Promise<SessionRef> {
  if (call.caller.session) return { ...call.caller.session, ownLease: false };
  const agentId = agentIdOf(call.caller, named);
  const id = await call.hub.db.read((sql) => httpSession(sql, projectId, agentId, call.caller.token.id));
  return { id, projectId, agentId, taskTypes: null, ownLease: true };
}

type SessionRef = Pick<Session, 'id' | 'projectId' | 'agentId' | 'taskTypes'> & { ownLease: boolean };

function claimEntry(
  call: Call,
  session: SessionRef,
  input: { files?: string[]; lease_seconds?: number },
  part = '',
) {
  const files = input.files ?? [];
  return {
    ...identityOf(call, session.agentId, part),
    session_id: session.id,
    files,
    patterns: patternsOf(files),
    lease_seconds: input.lease_seconds ?? (session.ownLease ? limits.claimLeaseSecondsDefault : null),
  };
}

interface NextInput {
  files?: string[];
  lease_seconds?: number;
  task_types?: string[];
}
interface After {
  id: string;
  attempt: number;
}

async function nextFor(
  call: Call,
  session: SessionRef,
  input: NextInput,
  after?: After,
): Promise<NextAnswer> {
  const taskTypes = input.task_types ?? session.taskTypes;
  const work = call.hub.works.claimNext(taskTypes);
  const base = claimEntry(call, session, input, after ? '#next' : '');
  const options = { key: taskTypes?.join() ?? '' };
  let alone = base.files.length > 0;
  let waitsFor = after;
  for (let tries = 1; tries <= triesMax; tries++) {
    const entry = { ...base, after_id: waitsFor?.id ?? null, after_attempt: waitsFor?.attempt ?? null };
    const { rows, note } = await perform(call, session.projectId, work, entry, { ...options, alone });
    const row = rows.find((one) => one.type === 'item.claimed');
    if (row) return claimAnswer(row);
    if (note === 'at_capacity') return { claim: null, reason: 'at_capacity' };
    if (note === null) return { claim: null };
    alone = note === 'crowded';
    waitsFor = undefined;
  }
  // It may have been deleted, and the session with it.
  await projectFor(call, session.projectId);
  throw unavailable();
}

function claimAnswer(row: LogRow): ClaimAnswer {
  return {
    claim: {
      item: verbatim(row.item!),
      attempt: row.attempt!,
      lease_expires_at: row.lease_expires_at!,
      session_id: row.session_id!,
    },
    conflicts: conflictsIn(row),
  };
}

const conflictsIn = (row: LogRow): ClaimAnswer['conflicts'] =>
  row.conflicts === null ? [] : verbatim(row.conflicts);

/** Claiming what this very session holds answers with the claim it has, and like any command renews it; null: lost by now. */
async function claimHeld(
  call: Call,
  { id: session_id, projectId, agentId }: SessionRef,
  { id, attempt }: Standing,
): Promise<ClaimAnswer | null> {
  const { lanes, works } = call.hub;
  const entry = { actor: agentId, id, attempt, agent_id: agentId, session_id };
  const outcome = await lanes.submit(projectId, works.reportProgress, entry, { alone: true });
  const row = outcome.kind === 'rows' ? outcome.rows[0] : undefined;
  return row ? claimAnswer({ ...row, attempt, session_id }) : null;
}

interface Claimant {
  projectId: string;
  agentId: string;
  sessionId: string | null;
}

async function claimantOf(call: Call, input: { id: string; agent_id?: string }): Promise<Claimant> {
  const { session } = call.caller;
  const projectId = session?.projectId ?? (await projectOf(call, input.id));
  return { projectId, agentId: agentIdOf(call.caller, input.agent_id), sessionId: session?.id ?? null };
}

function heldEntry(call: Call, who: Claimant, input: { id: string; attempt: number }): HeldEntry {
  return {
    ...identityOf(call, who.agentId),
    id: input.id,
    attempt: input.attempt,
    agent_id: who.agentId,
    session_id: who.sessionId,
  };
}

/** Makes a change that only the holder may make; the row is the item after it. */
async function changeClaim<E extends HeldEntry>(
  call: Call,
  who: Claimant,
  work: Work<E>,
  entry: E,
  command: string,
): Promise<LogRow> {
  for (let tries = 1; tries <= triesMax; tries++) {
    const { rows } = await perform(call, who.projectId, work, entry, { alone: tries > 1 });
    const row = rows.find((one) => one.item_id === entry.id && one.item !== null);
    if (row) return row;
    const standing = await standingFor(call, entry.id);
    const refusal = await fenceRefusal(call, standing, { ...who, attempt: entry.attempt }, command);
    if (!refusal) continue;
    // Whoever ends a claim that was cancelled under it has stopped working on it.
    if (standing.stopping && command !== 'item.heartbeat' && command !== 'item.report_files')
      await confirmStop(call, who, entry);
    throw refusal;
  }
  throw unavailable();
}

async function confirmStop(
  call: Call,
  who: Claimant,
  { id, attempt, agent_id, session_id }: HeldEntry,
): Promise<void> {
  const entry = { actor: who.agentId, id, attempt, agent_id, session_id };
  await call.hub.lanes.submit(who.projectId, call.hub.works.acknowledgeCancel, entry);
}

/**
 * Ends a claim and, if so asked, claims the next item in the same turn of the lane: one round trip a cycle. Both are
 * submitted before either is awaited.
 */
async function finish<E extends HeldEntry & Entry>(
  call: Call,
  who: Claimant,
  input: { id: string; attempt: number; claim_next?: boolean | NextInput },
  work: Work<E>,
  entry: E,
  command: string,
): Promise<CommandOutput<'item.complete'>> {
  const session = input.claim_next ? await sessionFor(call, who.projectId, who.agentId) : null;
  const finished = changeClaim(call, who, work, entry, command);
  if (!session) return { item: verbatim((await finished).item!) };
  const wish = typeof input.claim_next === 'object' ? input.claim_next : {};
  const asked = nextFor(call, session, wish, { id: input.id, attempt: input.attempt });
  const [end, next] = await Promise.allSettled([finished, asked]);
  if (end.status === 'rejected') {
    if (next.status === 'fulfilled' && next.value.claim)
      await putBack(call, session, plain(next.value.claim));
    throw end.reason;
  }
  return { item: verbatim(end.value.item!), next: await nextOnce(call, session, next) };
}

/**
 * Asked again under the same request_id, it must not find what has come into the queue since. Where nobody knows whether
 * a claim was made, "none" would be a lie: the agent would hold, and keep alive, what it has never heard of.
 */
async function nextOnce(
  call: Call,
  session: SessionRef,
  next: PromiseSettledResult<NextAnswer>,
): Promise<NextAnswer> {
  if (next.status === 'rejected' && next.reason instanceof AnsweredBefore)
    return next.reason.answer as NextAnswer;
  if (next.status === 'rejected' && next.reason instanceof Refusal && next.reason.code === 'UNAVAILABLE')
    throw next.reason;
  const answer: NextAnswer = next.status === 'rejected' ? { claim: null } : next.value;
  const { caller, request_id, fingerprint } = identityOf(call, session.agentId, '#next');
  if (answer.claim || !caller || !request_id || !fingerprint) return answer;
  const entry = { caller, requestId: request_id, fingerprint, answer: JSON.stringify(answer) };
  await call.hub.db.read((sql) => remember(sql, entry));
  return answer;
}

/** The end was refused, so what was claimed on the strength of it goes back. */
async function putBack(call: Call, session: SessionRef, { item, attempt }: Claim): Promise<void> {
  const entry = {
    actor: session.agentId,
    id: item.id,
    attempt,
    agent_id: session.agentId,
    session_id: session.id,
    reason: null,
  };
  await call.hub.lanes.submit(session.projectId, call.hub.works.release, entry);
}
