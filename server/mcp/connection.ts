import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
  type CallToolResult,
  type RequestId,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { Refusal } from '@switchyard/shared/errors';
import { instructions, isTool, mcpMeta, toolList } from '@switchyard/shared/mcp';
import { limits } from '@switchyard/shared/limits';
import { asRefusal } from '../dispatch.ts';
import type { Hub } from '../hub.ts';
import { callTool, silentLeaseSeconds, type ToolCall } from './call-tool.ts';
import type { Notice } from './notices.ts';
import type { ReadyWaits } from './ready.ts';
import { refusalAnswer, toolResult, type ToolAnswer } from './results.ts';
import type { AgentSession } from './session.ts';
import { SessionTransport } from './transport.ts';

const inFlightMax = 32;
// One for all: each has its own compiler otherwise, and nothing is ever checked with it here.
const jsonSchemaValidator = new AjvJsonSchemaValidator();

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** One MCP session: the SDK's server for one client, and the agent that this client is. */
export class Connection {
  readonly agent: AgentSession;
  readonly transport: SessionTransport;
  readonly #hub: Hub;
  readonly #waits: ReadyWaits;
  readonly #server: Server;
  /** Answers under way, and the notices that go with them. */
  readonly #answering = new Map<RequestId, { requestId: string | undefined; notices: Notice[] }>();
  /** What went with the answer before: it goes again when that answer got lost and the call comes again. */
  #before: { requestId: string; notices: Notice[] } | null = null;
  inFlight = 0;
  /** Streams on which the client listens; while there is one, it can be asked whether it lives. */
  streams = 0;
  heardAtMs = performance.now();
  #renewedAtMs = 0;
  #asking = false;

  constructor(hub: Hub, agent: AgentSession, waits: ReadyWaits, id: string) {
    this.#hub = hub;
    this.agent = agent;
    this.#waits = waits;
    this.transport = new SessionTransport({
      sessionIdGenerator: () => id,
      maxRequestBodySize: limits.bulkMessageBytes,
    });
    this.transport.onanswered = (answered, sent) => this.#answered(answered, sent);
    this.#server = new Server(
      { name: 'switchyard', version: '1' },
      { capabilities: { tools: {} }, instructions, jsonSchemaValidator },
    );
    this.#server.setRequestHandler(ListToolsRequestSchema, async () => ({
      tools: toolList({ withProject: await this.#hasToNameProject() }),
    }));
    this.#server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
      this.#call(params.name, params.arguments ?? {}, extra),
    );
  }

  /** Serves until either side ends the session; then calls `onEnd`. */
  async open(onEnd: () => void): Promise<void> {
    this.#server.onclose = () => {
      this.agent.end();
      onEnd();
    };
    this.#server.onerror = (error) => this.#hub.log.debug({ err: error }, 'an MCP message went astray');
    await this.#server.connect(this.transport);
  }

  /** Takes over from the session that the same client had before: what that was not told yet, or perhaps never saw. */
  async replace(earlier: Connection): Promise<void> {
    await earlier.close();
    this.agent.notices.putBack(earlier.agent.notices.take());
    this.#before = earlier.#before;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** Whoever answers lives, and what it holds lives on. */
  async askForLife(): Promise<void> {
    if (this.#asking || this.streams === 0 || this.agent.claims.held.length === 0) return;
    this.#asking = true;
    try {
      await this.#server.ping();
      await this.agent.renew();
    } catch (error) {
      this.#hub.log.debug({ err: error }, 'an MCP client gave no sign of life');
    } finally {
      this.#asking = false;
    }
  }

  async #hasToNameProject(): Promise<boolean> {
    if (this.agent.identity.project !== null) return false;
    const { projects } = await this.agent.command('project.list', {});
    return projects.length !== 1;
  }

  async #call(name: string, given: Record<string, unknown>, extra: Extra): Promise<CallToolResult> {
    if (!isTool(name)) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${name}.`);
    const requestId = extra._meta?.[mcpMeta.request];
    const call: ToolCall = {
      name,
      arguments: given,
      requestId: typeof requestId === 'string' ? requestId : undefined,
      signal: extra.signal,
      onWaiting: this.#waiting(extra),
      leaseSeconds: this.streams > 0 ? limits.claimLeaseSecondsDefault : silentLeaseSeconds,
    };
    this.inFlight++;
    try {
      if (this.inFlight > inFlightMax) throw tooMuch();
      const answer = await callTool(this.agent, this.#waits, call);
      return this.#result(call, extra, answer, false);
    } catch (error) {
      const refusal = asRefusal(this.#hub, `mcp ${name}`, error);
      return this.#result(call, extra, refusalAnswer(refusal.toJSON()), true);
    } finally {
      this.inFlight--;
      this.#touch();
    }
  }

  #result(call: ToolCall, extra: Extra, answer: ToolAnswer, isError: boolean): CallToolResult {
    const { requestId, signal } = call;
    const again =
      requestId !== undefined && this.#before?.requestId === requestId ? this.#before.notices : [];
    // Of a call that was given up nobody sees the answer.
    const notices = signal.aborted ? [] : [...again, ...this.agent.notices.take()];
    if (notices.length > 0) this.#answering.set(extra.requestId, { requestId, notices });
    const result = toolResult(answer, notices, isError);
    if (!this.agent.identity.resume) return result;
    const claims = this.agent.claims.held.map(({ item_id, attempt }) => ({ item_id, attempt }));
    return { ...result, _meta: { [mcpMeta.claims]: claims } };
  }

  #answered(answered: RequestId, sent: boolean): void {
    const one = this.#answering.get(answered);
    if (!one) return;
    this.#answering.delete(answered);
    if (!sent) return this.agent.notices.putBack(one.notices);
    if (one.requestId !== undefined) this.#before = { requestId: one.requestId, notices: one.notices };
    this.agent.delivered(one.notices);
  }

  #waiting({ _meta, sendNotification }: Extra): ToolCall['onWaiting'] {
    const progressToken = _meta?.progressToken;
    if (progressToken === undefined) return undefined;
    return (progress, total) => {
      const params = { progressToken, progress, total, message: 'Nothing is ready yet.' };
      sendNotification({ method: 'notifications/progress', params }).catch(() => {}); // the wait itself will hear of it
    };
  }

  /** Any call is a sign of life for all that is held; not each is written down. */
  #touch(): void {
    const now = performance.now();
    this.heardAtMs = now;
    if (now - this.#renewedAtMs < this.#hub.timing.heartbeatSeconds * 1_000) return;
    this.#renewedAtMs = now;
    void this.agent.renew();
  }
}

const tooMuch = () =>
  new Refusal('RATE_LIMITED', `More than ${inFlightMax} calls at once. Wait for answers, then go on.`, {
    retry_after_ms: 500,
  });
