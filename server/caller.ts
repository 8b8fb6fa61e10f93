import { Refusal } from '@switchyard/shared/errors';
import { roles, type Role, type Token } from '@switchyard/shared/project';

/** Who calls: a token, and over an agent's socket its session. */
export interface Caller {
  token: Token;
  session: Session | null;
}

/** One run of one agent, connected to this hub. */
export interface Session {
  id: string;
  projectId: string;
  projectName: string;
  agentId: string;
  /** Names this connection in the database, so that an old one cannot speak for a session that has moved on. */
  connectionId: string;
  taskTypes: string[] | null;
}

/** viewer < agent < operator: an operator may also stand in for an agent, as the hub's own machine does from a shell. */
export function mayAct(caller: Caller, least: Role): boolean {
  return roles.indexOf(caller.token.role) >= roles.indexOf(least);
}

/** What is out of a token's project does not exist for it. */
export function maySee(caller: Caller, projectId: string): boolean {
  const { project_id } = caller.token;
  return (
    (project_id === null || project_id === projectId) &&
    (caller.session?.projectId ?? projectId) === projectId
  );
}

/** The agent that a command speaks for: the session's, the token's, or the one it names. */
export function agentIdOf(caller: Caller, named: string | undefined): string {
  const agentId = caller.session?.agentId ?? caller.token.agent_id ?? named;
  if (agentId !== undefined) return agentId;
  throw new Refusal(
    'VALIDATION',
    'Say which agent this is: add agent_id, or use a token that is bound to one.',
    {
      issues: [{ path: 'agent_id', message: 'is missing' }],
    },
  );
}

/** How the log names the caller. */
export function actorOf(caller: Caller, agentId?: string): string {
  return agentId ?? caller.session?.agentId ?? caller.token.agent_id ?? caller.token.label;
}

/** Whose request_ids these are. */
export function callerKey(caller: Caller, agentId?: string): string {
  return `${caller.token.id} ${caller.session?.id ?? caller.token.agent_id ?? agentId ?? ''}`;
}
