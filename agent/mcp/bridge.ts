import { setTimeout as sleep } from 'node:timers/promises';
import type {
  InitializeRequest,
  JSONRPCMessage,
  JSONRPCRequest,
  JSONRPCResultResponse,
  RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Refusal } from '@switchyard/shared/errors';
import { agentNameOf, mcpMeta, toolList, type Resume } from '@switchyard/shared/mcp';
import { backoffMs } from '../backoff.ts';
import { NoHub, type HubAddress } from '../hub-address.ts';
import { HubSession, SessionGone } from './hub-session.ts';
import { refused, remaining, repeatable, welcomeFor } from './messages.ts';

export interface BridgeOptions {
  /** Where the hub is, asked before each connection. May throw `NoHub`. */
  address: () => HubAddress;
  project: string | undefined;
  /** Who works; made from the client's name when left out. */
  agent: string | undefined;
  /** Says in a line what a person may want to know. */
  say: (message: string) => void;
}

/** How long a call waits for a hub that is away before the model is told. */
const patienceMs = 25_000;
/** Clients give up on a server that is not there within 10 s or more. */
const welcomeMsMax = 5_000;
const pause = { baseMs: 250, capMs: 3_000 };
const longPause = { baseMs: 250, capMs: 15_000 };
/** Until what the hub sent last was read, after the end of the answer it stood in. */
const readMs = 100;
const lastAnswersMs = 2_000;

interface Pending {
  request: JSONRPCRequest;
  sinceMs: number;
  /** When it was first found that the hub is away. */
  failedAtMs: number | null;
  /** It is on its way already. */
  isGoing: boolean;
}

/**
 * Passes MCP messages between a client, which came first and stays, and the hub, which may come and go: a session that
 * is gone is opened anew under the same name and with the claims it had, and what had no answer is sent again. Tool calls
 * carry a request_id of ours, so that what was done is not done twice. There are no tools here; they are the hub's.
 */
export class Bridge {
  readonly #client: Transport;
  readonly #options: BridgeOptions;
  readonly #pending = new Map<RequestId, Pending>();
  #agent: string | undefined;
  #hello: InitializeRequest['params'] | null = null;
  #session: HubSession | null = null;
  #opening: Promise<HubSession> | null = null;
  #resume: Resume = { session_id: null, claims: [] };
  #isAway = false;
  /** It was reached once: a hub that comes and goes is waited for, one that was never there is not. */
  #wasThere = false;
  #closed = false;

  constructor(client: Transport, options: BridgeOptions) {
    this.#client = client;
    this.#options = options;
    this.#agent = options.agent;
  }

  async start(): Promise<void> {
    this.#client.onmessage = (message) => this.#hear(message);
    await this.#client.start();
  }

  /** The client has left: waits a moment for answers under way, then ends the session. Claims stay until their leases end. */
  async stop(): Promise<void> {
    const deadline = performance.now() + lastAnswersMs;
    while (this.#pending.size > 0 && performance.now() < deadline) await sleep(20);
    this.#closed = true;
    this.#pending.clear(); // nobody is there to be answered
    await this.#session?.leave();
    await this.#client.close();
  }

  /** From the client. */
  #hear(message: JSONRPCMessage): void {
    if (!('method' in message)) return; // it was asked nothing
    if (!('id' in message)) return this.#hearNotification(message);
    if (message.method === 'ping') return this.#answer(message.id, {});
    if (message.method === 'initialize')
      return void this.#welcome(message as JSONRPCRequest & InitializeRequest);
    const request = message.method === 'tools/call' ? repeatable(message) : message;
    this.#pending.set(message.id, { request, sinceMs: performance.now(), failedAtMs: null, isGoing: false });
    void this.#deliver(message.id);
  }

  #hearNotification(message: JSONRPCMessage & { method: string; params?: object }): void {
    // Each session with the hub says that itself.
    if (message.method === 'notifications/initialized') return;
    if (message.method === 'notifications/cancelled' && message.params && 'requestId' in message.params)
      this.#pending.delete(message.params.requestId as RequestId);
    this.#session?.send(message).catch(() => {}); // whom it concerns is gone as well
  }

  /** A client that finds nobody gives up, so it is let in although the hub may be away. */
  async #welcome({ id, params }: JSONRPCRequest & InitializeRequest): Promise<void> {
    this.#hello = params;
    this.#agent ??= agentNameOf(params.clientInfo.name);
    try {
      const late = sleep(welcomeMsMax, null, { ref: false }).then(() => {
        throw new Error('the hub takes its time');
      });
      this.#answer(id, (await Promise.race([this.#open(), late])).welcome);
    } catch {
      this.#answer(id, welcomeFor(params));
      void this.#reconnect();
    }
  }

  async #deliver(id: RequestId): Promise<void> {
    const pending = this.#pending.get(id);
    if (!pending || pending.isGoing) return;
    pending.isGoing = true;
    for (let tries = 0; this.#pending.get(id) === pending; tries++) {
      try {
        const session = this.#session ?? (await this.#open());
        await session.send(remaining(pending.request, pending.sinceMs));
        break;
      } catch (error) {
        if (error instanceof SessionGone) this.#lost();
        else if (!this.#mayRepeat(id, pending, asRefusal(error))) break;
        else await sleep(backoffMs(tries, pause));
      }
    }
    pending.isGoing = false;
  }

  /** Whether to try again; if not, the client is told. */
  #mayRepeat(id: RequestId, pending: Pending, refusal: Refusal): boolean {
    const now = performance.now();
    pending.failedAtMs ??= now;
    const passes = refusal.code === 'UNAVAILABLE' || refusal.code === 'RATE_LIMITED';
    const { method } = pending.request;
    if (!this.#session) void this.#reconnect();
    const patient = this.#wasThere && method !== 'tools/list' && now - pending.failedAtMs < patienceMs;
    if (passes && patient) return true;
    if (!this.#pending.delete(id)) return false;
    if (method === 'tools/list')
      this.#answer(id, { tools: toolList({ withProject: this.#options.project === undefined }) });
    else if (method === 'tools/call') this.#answer(id, refused(refusal));
    else void this.#client.send({ jsonrpc: '2.0', id, error: { code: -32_000, message: refusal.message } });
    return false;
  }

  /** From the hub. */
  #pass(message: JSONRPCMessage): void {
    if ('method' in message && 'id' in message) {
      // Whether we live is asked; the client ends us when it ends, so that we can answer for it.
      if (message.method === 'ping')
        this.#session?.send({ jsonrpc: '2.0', id: message.id, result: {} }).catch(() => {});
      return;
    }
    if ('method' in message) return void this.#client.send(message);
    // Sent twice, it may be answered twice.
    if (message.id === undefined || !this.#pending.delete(message.id)) return;
    void this.#client.send('result' in message ? this.#withoutClaims(message) : message);
  }

  /** What the hub would have to be told again, should it forget. */
  #withoutClaims(message: JSONRPCResultResponse): JSONRPCMessage {
    const { _meta, ...result } = message.result;
    const { [mcpMeta.claims]: claims, ...meta } = _meta ?? {};
    if (claims === undefined) return message;
    this.#resume.claims = claims as Resume['claims'];
    return { ...message, result: { ...result, ...(Object.keys(meta).length > 0 && { _meta: meta }) } };
  }

  #open(): Promise<HubSession> {
    this.#opening ??= this.#openOnce().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #openOnce(): Promise<HubSession> {
    if (!this.#hello || !this.#agent) throw new Refusal('VALIDATION', 'Send initialize first.');
    const { address, project, say } = this.#options;
    const where = address();
    const session = await HubSession.open({
      address: where,
      project,
      agent: this.#agent,
      hello: this.#hello,
      resume: this.#resume,
      onMessage: (message) => this.#pass(message),
      onEndOf: (id, of) => setTimeout(() => this.#session === of && void this.#deliver(id), readMs).unref(),
      onLost: (lost) => this.#session === lost && this.#lost(),
    });
    if (this.#closed) {
      await session.leave();
      throw new Refusal('UNAVAILABLE', 'The client left while its session was opened.');
    }
    this.#session = session;
    this.#resume.session_id = session.id;
    if (this.#isAway) say(`The hub at ${where.url} is back.`);
    this.#isAway = false;
    this.#wasThere = true;
    return session;
  }

  #lost(): void {
    const session = this.#session;
    this.#session = null;
    void session?.close();
    void this.#reconnect();
    for (const id of this.#pending.keys()) void this.#deliver(id);
  }

  /** Claims live while the hub hears of us, so that we come back without being asked. */
  async #reconnect(): Promise<void> {
    if (this.#isAway) return;
    this.#isAway = true;
    for (let tries = 0; this.#isAway && !this.#closed; tries++) {
      try {
        await this.#open();
      } catch (error) {
        if (tries === 2) this.#options.say(`${asRefusal(error).message} Trying on.`);
        await sleep(backoffMs(tries, longPause), null, { ref: false });
      }
    }
  }

  #answer(id: RequestId, result: object): void {
    void this.#client.send({ jsonrpc: '2.0', id, result: { ...result } });
  }
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof NoHub) return new Refusal('UNAVAILABLE', error.message);
  return new Refusal('UNAVAILABLE', error instanceof Error ? error.message : String(error));
}
