import { randomUUID } from 'node:crypto';
import type { ZodType } from 'zod';
import { agentHelloSchema, watcherHelloSchema, type AgentHello } from '@switchyard/shared/agent';
import { Refusal, refusalOfIssues } from '@switchyard/shared/errors';
import type { Token } from '@switchyard/shared/project';
import { agentIdOf, mayAct, maySee, type Caller, type Session } from '../caller.ts';
import { findProject } from '../domain/projects.ts';
import { sessionIsFree } from '../domain/sessions.ts';
import type { Hub } from '../hub.ts';
import { authenticate, tokenFromCookie } from '../http/authenticate.ts';

export interface Hello {
  caller: Caller;
  /** For an agent. */
  capacity: number;
}

/** Who opens this connection: an agent when it names a project, otherwise a watcher. Throws what the client is told. */
export async function greet(
  hub: Hub,
  auth: Record<string, unknown>,
  cookie: string | undefined,
): Promise<Hello> {
  const { project } = auth;
  const tokenOf = (hello: { token?: string }) => authenticate(hub.db, hello.token ?? tokenFromCookie(cookie));
  if (project === undefined) {
    const hello = parse(watcherHelloSchema, auth);
    return { caller: { token: await tokenOf(hello), session: null }, capacity: 0 };
  }
  const hello = parse(agentHelloSchema, auth);
  const token = await tokenOf(hello);
  return { caller: { token, session: await sessionOf(hub, token, hello) }, capacity: hello.capacity };
}

async function sessionOf(hub: Hub, token: Token, hello: AgentHello): Promise<Session> {
  const caller: Caller = { token, session: null };
  if (!mayAct(caller, 'agent')) {
    throw new Refusal(
      'FORBIDDEN',
      `An agent needs the role agent, and this token has the role ${token.role}. Connect without project to watch.`,
    );
  }
  const agentId = agentIdOf(caller, hello.agent_id);
  const project = await hub.db.read((sql) => findProject(sql, hello.project));
  if (!project || !maySee(caller, project.id)) {
    throw new Refusal('NOT_FOUND', `There is no project "${hello.project}" that you may see.`, {
      project: hello.project,
    });
  }
  const id = hello.session_id?.toLowerCase() ?? randomUUID();
  if (!(await hub.db.read((sql) => sessionIsFree(sql, id, project.id, agentId)))) {
    throw new Refusal(
      'FORBIDDEN',
      'This session_id belongs to another agent. Make a new one: crypto.randomUUID().',
      { session_id: id },
    );
  }
  return {
    id,
    projectId: project.id,
    projectName: project.name,
    agentId,
    connectionId: randomUUID(),
    taskTypes: hello.task_types && hello.task_types.length > 0 ? hello.task_types : null,
  };
}

function parse<T>(schema: ZodType<T>, auth: unknown): T {
  const parsed = schema.safeParse(auth);
  if (parsed.success) return parsed.data;
  throw refusalOfIssues(parsed.error);
}
