import { setTimeout as sleep } from 'node:timers/promises';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type {
  InitializeRequest,
  InitializeResult,
  JSONRPCMessage,
  RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { Refusal } from '@switchyard/shared/errors';
import { mcpHeaders, mcpMeta, mcpPath, type Resume } from '@switchyard/shared/mcp';
import type { HubAddress } from '../hub-address.ts';
import { noAnswerFrom, refusalOf } from '../http.ts';

export interface HubSessionOptions {
  address: HubAddress;
  project: string | undefined;
  agent: string;
  /** What the client said when it came. */
  hello: InitializeRequest['params'];
  resume: Resume;
  onMessage: (message: JSONRPCMessage) => void;
  /** The answer to this request ended, whether it came or not; of `initialize` too, before the session is open. */
  onEndOf: (id: RequestId, session: HubSession) => void;
  /** The hub does not hear of this session any more, or it has ended it. */
  onLost: (session: HubSession) => void;
}

/** The hub knows no such session: it was restarted, or this one was idle for too long. */
export class SessionGone extends Error {}

const openMsMax = 10_000;
const listenMsMax = 2_000;
const leaveMsMax = 1_000;
/** No request of the client's has this id. */
const helloId = 'switchyard-bridge';

/** One MCP session with a hub, from `initialize` to its end; what follows a lost one is another. */
export class HubSession {
  readonly #options: HubSessionOptions;
  readonly #transport: StreamableHTTPClientTransport;
  readonly #listening = Promise.withResolvers<void>();
  #closed = false;
  /** What the hub answered to `initialize`. */
  welcome!: InitializeResult;

  private constructor(options: HubSessionOptions) {
    this.#options = options;
    const { address, project, agent } = options;
    this.#transport = new StreamableHTTPClientTransport(new URL(mcpPath, address.url), {
      requestInit: {
        headers: {
          authorization: `Bearer ${address.token}`,
          [mcpHeaders.agent]: agent,
          ...(project !== undefined && { [mcpHeaders.project]: project }),
        },
      },
      fetch: (url, init) => this.#fetch(url, init),
      // A stream that ended is taken up again by another session, which also tells what is held.
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 0,
        maxReconnectionDelay: 0,
        reconnectionDelayGrowFactor: 1,
      },
    });
  }

  /** Throws a `Refusal`: the hub's, or `UNAVAILABLE` when none answers. */
  static async open(options: HubSessionOptions): Promise<HubSession> {
    const session = new HubSession(options);
    try {
      await session.#open();
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  get id(): string | null {
    return this.#transport.sessionId ?? null;
  }

  /** Resolves once the hub has taken the message; throws `SessionGone`, or a `Refusal`. */
  send(message: JSONRPCMessage): Promise<void> {
    return this.#transport.send(message);
  }

  /** Tells the hub that nobody will come back to this session. */
  async leave(): Promise<void> {
    this.#closed = true; // that its stream ends now is no loss
    await Promise.race([
      this.#transport.terminateSession().catch(() => {}),
      sleep(leaveMsMax, null, { ref: false }),
    ]);
    await this.close();
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#transport.close();
  }

  async #open(): Promise<void> {
    const { hello, resume, address, onMessage } = this.#options;
    const welcomed = Promise.withResolvers<InitializeResult>();
    this.#transport.onmessage = (message) => {
      if (!('id' in message) || message.id !== helloId || 'method' in message) return onMessage(message);
      if ('result' in message) welcomed.resolve(message.result as InitializeResult);
      else welcomed.reject(new Refusal('INTERNAL', message.error.message));
    };
    await this.#transport.start();
    const params = { ...hello, _meta: { ...hello._meta, [mcpMeta.resume]: resume } };
    const said = this.#transport.send({ jsonrpc: '2.0', id: helloId, method: 'initialize', params });
    const late = sleep(openMsMax, null, { ref: false }).then(() => {
      throw new Refusal('UNAVAILABLE', `The hub at ${address.url} does not answer.`);
    });
    this.welcome = await Promise.race([said.then(() => welcomed.promise), late]);
    this.#transport.setProtocolVersion(this.welcome.protocolVersion);
    await this.#transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    // While the hub has this stream, it sees that we live, and renews what we hold.
    await Promise.race([this.#listening.promise, sleep(listenMsMax, null, { ref: false })]);
  }

  async #fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const listens = init.method === 'GET';
    const response = await fetch(url, init).catch((error: Error) => {
      if (listens) this.#lose();
      throw noAnswerFrom(this.#options.address.url, error);
    });
    if (!response.ok && init.method !== 'DELETE') {
      if (listens) this.#lose();
      const text = await response.text();
      if (response.status === 404 && this.id !== null) throw new SessionGone();
      throw refusalOf(response.status, text);
    }
    if (listens) {
      this.#listening.resolve();
      return watched(response, () => this.#lose());
    }
    const id = requestIdIn(init.body);
    return id === undefined ? response : watched(response, () => this.#options.onEndOf(id, this));
  }

  #lose(): void {
    if (!this.#closed) this.#options.onLost(this);
  }
}

function requestIdIn(body: unknown): RequestId | undefined {
  if (typeof body !== 'string') return undefined;
  const message = JSON.parse(body) as { id?: RequestId; method?: string };
  return message.method === undefined ? undefined : message.id;
}

/** The same response, which says when its body has ended, well or not. The SDK's transport tells nobody. */
function watched(response: Response, onEnd: () => void): Response {
  if (!response.body) return response;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      onEnd();
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const { status, statusText, headers } = response;
  return new Response(body, { status, statusText, headers });
}
