import { Refusal, type WireError } from '@switchyard/shared/errors';
import { actorOf, callerKey, maySee, type Caller } from '../caller.ts';
import type { Entry, LogRow, Replay } from '../domain/journal.ts';
import { findProject } from '../domain/projects.ts';
import { projectOfItem } from '../domain/read-items.ts';
import type { Hub } from '../hub.ts';
import type { Work } from '../lanes.ts';
import { isUuid } from '../uuid.ts';
import type { Project } from '@switchyard/shared/project';

/** One command under way. */
export interface Call {
  hub: Hub;
  caller: Caller;
  requestId: string | undefined;
  fingerprint: string | undefined;
  /** The statement has remembered the answer under the request_id, so that nobody else need do it. */
  remembered: boolean;
}

/** The answer was given before, and is given again as it was. */
export class AnsweredBefore extends Error {
  readonly answer: unknown;
  constructor(answer: unknown) {
    super('answered before');
    this.answer = answer;
  }
}

/** Who asks, for the log and for idempotency. `part` tells two changes of one request apart. */
export function identityOf(call: Call, agentId?: string, part = ''): Entry {
  const actor = actorOf(call.caller, agentId);
  if (call.requestId === undefined) return { actor };
  return {
    actor,
    caller: callerKey(call.caller, agentId),
    request_id: call.requestId + part,
    fingerprint: call.fingerprint,
  };
}

export interface Performed {
  rows: LogRow[];
  note: string | null;
}

/** Has a change carried out in the lane of its project, or finds what it was answered before. */
export async function perform<E extends Entry>(
  call: Call,
  projectId: string,
  work: Work<E>,
  entry: E,
  options: { key?: string; alone?: boolean } = {},
): Promise<Performed> {
  const outcome = await call.hub.lanes.submit(projectId, work, entry, options);
  if (outcome.kind === 'replay') return { rows: rowsOf(call, outcome), note: null };
  if (outcome.rows.length > 0) call.remembered = true;
  return outcome;
}

function rowsOf(call: Call, replay: Replay): LogRow[] {
  call.remembered = true;
  if (!replay.same) throw usedBefore();
  if (replay.error !== null) throw refusalFrom(replay.error);
  if (replay.rows === null) throw new AnsweredBefore(replay.answer);
  return replay.rows;
}

export function usedBefore(): Refusal {
  return new Refusal(
    'VALIDATION',
    'This request_id was used for another command or input. Make a new one for each request.',
    {
      issues: [{ path: 'request_id', message: 'was used for something else' }],
    },
  );
}

export function refusalFrom(json: string): Refusal {
  const { code, message, details } = JSON.parse(json) as WireError;
  return new Refusal(code, message, details);
}

/** The project that a reference means, if the caller may see it. */
export async function projectFor(call: Call, ref: string): Promise<Project> {
  const project = await call.hub.db.read((sql) => findProject(sql, ref));
  if (project && maySee(call.caller, project.id)) return project;
  throw noSuchProject(ref);
}

export function noSuchProject(ref: string): Refusal {
  return new Refusal(
    'NOT_FOUND',
    `There is no project "${ref}" that you may see. project.list names those there are.`,
    {
      project: ref,
    },
  );
}

/** The id alone: an agent's socket knows its project, and asks nobody. */
export async function projectIdFor(call: Call, ref: string): Promise<string> {
  const session = call.caller.session;
  if (session && (ref === session.projectId || ref === session.projectName)) return session.projectId;
  return (await projectFor(call, ref)).id;
}

/**
 * The same for a change: of an id nothing is asked, as the statement finds out whether there is such a project. When
 * that came to nothing, ask {@link projectFor}.
 */
export async function projectIdToChange(call: Call, ref: string): Promise<string> {
  const id = ref.toLowerCase();
  return isUuid(id) && maySee(call.caller, id) ? id : projectIdFor(call, ref);
}

/** The project of an item that the caller may see. */
export async function projectOf(call: Call, itemId: string): Promise<string> {
  if (call.caller.session) return call.caller.session.projectId;
  const projectId = await call.hub.db.read((sql) => projectOfItem(sql, itemId));
  if (projectId !== undefined && maySee(call.caller, projectId)) return projectId;
  throw noSuchItem(itemId);
}

export function noSuchItem(id: string): Refusal {
  return new Refusal('NOT_FOUND', `There is no item ${id} that you may see.`, { id });
}
