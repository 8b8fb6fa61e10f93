import { randomUUID } from 'node:crypto';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { Refusal, refusalOfIssues } from '@switchyard/shared/errors';
import { agentIdSchema } from '@switchyard/shared/item';
import { agentNameOf, mcpHeaders, mcpMeta, resumeSchema } from '@switchyard/shared/mcp';
import { projectRefSchema, type Token } from '@switchyard/shared/project';
import type { Hub } from '../hub.ts';
import { settled } from '../socket/server.ts';
import { watchTokens } from '../token-watch.ts';
import { Connection } from './connection.ts';
import { ReadyWaits } from './ready.ts';
import { AgentSession, type Identity } from './session.ts';

const sessionsMax = 1_000;
const idleMsMax = 3_600_000;
/** Of the 10 s that shutting down may take. */
const answersMsMax = 5_000;

export interface McpRequest {
  request: Request;
  /** Of a POST, parsed. */
  body: unknown;
  token: Token;
  /** Calls back once the connection under this request is closed. */
  onClose: (listener: () => void) => void;
}

export interface McpSide {
  answer(request: McpRequest): Promise<Response>;
  /** MCP sessions open on this hub. */
  readonly size: number;
  /** Lets everybody who waits go, answers what is under way, and ends all streams. */
  drain(): Promise<void>;
}

/** MCP by Streamable HTTP: the tools of `shared/mcp.ts` over the commands that everybody uses. */
export function serveMcp(hub: Hub): McpSide {
  const connections = new Map<string, Connection>();
  const waits = new ReadyWaits(hub);
  hub.feed.onRows((projectId, rows) => {
    for (const { agent } of connections.values()) {
      if (agent.has(projectId)) for (const row of rows) agent.hear(row);
    }
  });
  const beat = setInterval(() => {
    endIdle(connections);
    for (const connection of connections.values()) void connection.askForLife();
  }, hub.timing.heartbeatSeconds * 1_000);
  const tokens = watchTokens(
    hub,
    () => [...connections.values()].map(({ agent }) => agent.identity.token.id),
    (spent) => {
      for (const one of connections.values()) if (spent.has(one.agent.identity.token.id)) void one.close();
    },
  );

  const open = async (identity: Identity): Promise<Connection> => {
    makeRoom(connections);
    const id = randomUUID();
    const isSpokenFor = (itemId: string, attempt: number): boolean =>
      [...connections.values()].some(
        ({ agent }) => agent !== session && agent.claims.standing(itemId, attempt),
      );
    const session: AgentSession = new AgentSession(hub, identity, isSpokenFor);
    const connection = new Connection(hub, session, waits, id);
    // Before anything is awaited, so that those who come at once count each other.
    connections.set(id, connection);
    await connection.open(() => connections.delete(id));
    // A bridge that comes again is the same client.
    const earlier = connections.get(identity.resume?.session_id ?? '');
    if (earlier?.agent.identity.token.id === identity.token.id) await connection.replace(earlier);
    // Once more with the first call, should it fail now.
    session
      .takeUp()
      .catch((error: unknown) => hub.log.debug({ err: error }, 'could not take up an MCP session'));
    return connection;
  };

  return {
    get size() {
      return connections.size;
    },
    answer: async (asked) => {
      const id = asked.request.headers.get('mcp-session-id');
      let connection = id === null ? undefined : connections.get(id);
      if (id === null) {
        if (!isInitializeRequest(asked.body))
          return problem(400, -32000, 'Initialize first: this has no Mcp-Session-Id.');
        connection = await open(identityOf(asked));
      }
      // Of another token it does not exist either. To a 404 clients answer with a new session.
      if (connection?.agent.identity.token.id !== asked.token.id)
        return problem(404, -32001, 'This hub knows no such session: initialize again.');
      return pass(connection, asked);
    },
    drain: async () => {
      clearInterval(beat);
      tokens.stop();
      waits.stop();
      const all = () => [...connections.values()];
      await settled(() => all().every(({ inFlight }) => inFlight === 0), answersMsMax);
      await Promise.all(all().map((connection) => connection.close()));
    },
  };
}

async function pass(connection: Connection, { request, body, onClose }: McpRequest): Promise<Response> {
  connection.heardAtMs = performance.now();
  const response = await connection.transport.handleRequest(
    request,
    body === undefined ? {} : { parsedBody: body },
  );
  if (request.method === 'GET' && response.ok) {
    connection.streams++;
    onClose(() => {
      connection.streams--;
      connection.heardAtMs = performance.now();
    });
  }
  return response;
}

/** Who asks to be let in: project and agent by token, by address or header, or else by what the client calls itself. */
function identityOf({ request, body, token }: McpRequest): Identity {
  if (!isInitializeRequest(body)) throw new Error('only an initialize request opens a session');
  const { searchParams } = new URL(request.url);
  const said = (name: keyof typeof mcpHeaders) =>
    searchParams.get(name) || request.headers.get(mcpHeaders[name]) || undefined;
  const agent = agentIdSchema.optional().safeParse(said('agent'));
  const project = projectRefSchema.optional().safeParse(said('project'));
  for (const parsed of [agent, project]) if (!parsed.success) throw refusalOfIssues(parsed.error);
  const resume = resumeSchema.safeParse(body.params._meta?.[mcpMeta.resume]);
  const named = token.agent_id ?? agent.data;
  return {
    token,
    agentId: named ?? agentNameOf(body.params.clientInfo.name),
    named: named !== undefined,
    project: token.project_id ?? project.data ?? null,
    resume: resume.success ? resume.data : null,
  };
}

/** Those that do nothing and listen to nothing, who was quiet for longest first. A call they still make is told to start anew. */
const idleOf = (connections: Map<string, Connection>) =>
  [...connections.values()]
    .filter(({ streams, inFlight }) => streams === 0 && inFlight === 0)
    .sort((a, b) => a.heardAtMs - b.heardAtMs);

function endIdle(connections: Map<string, Connection>): void {
  const longAgoMs = performance.now() - idleMsMax;
  for (const one of idleOf(connections)) if (one.heardAtMs < longAgoMs) void one.close();
}

/** At the bound, the one that was quiet for longest goes. */
function makeRoom(connections: Map<string, Connection>): void {
  if (connections.size < sessionsMax) return;
  void idleOf(connections)[0]?.close(); // gone at once
  if (connections.size < sessionsMax) return;
  throw new Refusal(
    'RATE_LIMITED',
    `This hub has ${sessionsMax} MCP sessions, all in use. Try again later.`,
    {
      retry_after_ms: 10_000,
    },
  );
}

const problem = (status: number, code: number, message: string) =>
  Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
