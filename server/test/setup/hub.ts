// A hub of its own for each test file: a fresh database in the run's PostgreSQL, a port that is free.
import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { io, type Socket } from 'socket.io-client';
import { inject, onTestFinished } from 'vitest';
import {
  commands,
  type CommandInput,
  type CommandName,
  type CommandOutput,
} from '@switchyard/shared/commands';
import type { WireError } from '@switchyard/shared/errors';
import type { Answer } from '@switchyard/shared/protocol';
import type { SessionReady } from '@switchyard/shared/agent';
import type { Config } from '../../config.ts';
import type { Address } from '../../db/database.ts';
import { openLog } from '../../log.ts';
import { startHub, type RunningHub } from '../../start.ts';
import { temporaryFolder } from './postgres.ts';

export const adminToken = 'swy_test_admin_token_0123456789';

/** Short enough that a test need not wait, long enough that a busy machine does not lose a lease. */
const timing = { leaseSeconds: 60, heartbeatSeconds: 10, graceSeconds: 15 };

/** A fresh, empty database in the run's PostgreSQL. */
export async function createDatabase(): Promise<Exclude<Address, string>> {
  const connection = inject('postgres');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const sql = postgres({ ...connection, max: 1, onnotice: () => {} });
  await sql.unsafe(`CREATE DATABASE ${name}`);
  await sql.end();
  return { ...connection, database: name };
}

export interface TestHubOptions {
  timing?: Partial<Config['timing']>;
  database?: Address;
  allowedOrigins?: string[];
}

export interface TestHub extends RunningHub {
  database: Address;
}

/** Starts a hub in this process; the caller stops it (afterAll). */
export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const database = options.database ?? (await createDatabase());
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    databaseUrl: null,
    dataDir: temporaryFolder(),
    adminToken,
    timing: { ...timing, ...options.timing },
    allowedOrigins: options.allowedOrigins ?? [],
    logLevel: process.env.TEST_LOG_LEVEL ?? 'silent',
  };
  const hub = await startHub({ config, log: openLog(config.logLevel), database });
  return { ...hub, database };
}

/** A command over HTTP. `status` and either `result` or `error`. */
export async function request(
  hub: { url: string },
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, never> & { error?: WireError }; headers: Headers }> {
  const response = await fetch(hub.url + path, {
    method,
    headers: {
      authorization: `Bearer ${adminToken}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return {
    status: response.status,
    body: (text ? JSON.parse(text) : {}) as never,
    headers: response.headers,
  };
}

/** A command over HTTP by its name; throws the wire error. */
export async function call<K extends CommandName>(
  hub: { url: string },
  name: K,
  input: CommandInput<K>,
  token = adminToken,
): Promise<CommandOutput<K>> {
  const { method, path } = commands[name];
  const fields: Record<string, unknown> = { ...input };
  const filled = path.replace(/:(\w+)/g, (_, field: string) => {
    const value = String(fields[field]);
    delete fields[field];
    return encodeURIComponent(value);
  });
  const query =
    method === 'GET' ? `?${new URLSearchParams(fields as Record<string, string>).toString()}` : '';
  const answer = await request(hub, method, filled + query, method === 'GET' ? undefined : fields, {
    authorization: `Bearer ${token}`,
  });
  if (answer.body.error) throw Object.assign(new Error(answer.body.error.message), answer.body.error);
  return answer.body as unknown as CommandOutput<K>;
}

/** The error that a promise of {@link call} or {@link Client.call} rejects with. */
export async function refusal(promise: Promise<unknown>): Promise<WireError> {
  const error = await promise.then(
    (result) => {
      throw new Error(`expected a refusal, got ${JSON.stringify(result)}`);
    },
    (reason: unknown) => reason,
  );
  const { code, message, details } = error as WireError;
  if (!code) throw error;
  return { code, message, details };
}

let projectCount = 0;

/** A fresh project. */
export async function newProject(hub: { url: string }, more: Partial<CommandInput<'project.create'>> = {}) {
  const { project } = await call(hub, 'project.create', {
    name: `p${Date.now()}-${++projectCount}`,
    ...more,
  });
  return project;
}

/** One connection, agent or watcher, that keeps every event it hears. */
export class Client {
  readonly socket: Socket;
  readonly heard: { event: string; payload: never }[] = [];
  ready: SessionReady | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(hub: { url: string }, auth: Record<string, unknown>, options: { reconnection?: boolean } = {}) {
    this.socket = io(hub.url, {
      transports: ['websocket'],
      auth: { token: adminToken, ...auth },
      forceNew: true,
      reconnection: options.reconnection ?? false,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
    });
    this.socket.onAny((event: string, payload: SessionReady) => {
      if (event === 'session.ready') this.ready = payload;
      this.heard.push({ event, payload: payload as never });
      for (const look of [...this.#waiting]) look();
    });
  }

  /** Resolves with the first event heard (before or after this call) that fits. */
  hear<T = never>(event: string, fits: (payload: T) => boolean = () => true): Promise<T> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.heard.find((one) => one.event === event && fits(one.payload as T));
        if (!found) return;
        this.#waiting.delete(look);
        resolve(found.payload);
      };
      this.#waiting.add(look);
      look();
    });
  }

  all<T = never>(event: string): T[] {
    return this.heard.filter((one) => one.event === event).map((one) => one.payload as T);
  }

  /** A command, or agent.heartbeat, project.watch, project.unwatch. Throws the wire error. */
  async call<K extends CommandName>(name: K, input: CommandInput<K>): Promise<CommandOutput<K>>;
  async call<T = never>(name: string, input?: unknown): Promise<T>;
  async call(name: string, input: unknown = {}): Promise<unknown> {
    const answer = (await this.socket.timeout(20_000).emitWithAck(name, input)) as Answer<unknown>;
    if (answer.ok) return answer.result;
    throw Object.assign(new Error(answer.error.message), answer.error);
  }

  close(): void {
    this.socket.disconnect();
  }
}

/** Connects a client and closes it when the test ends. Rejects with the refusal of the handshake. */
export async function connect(
  hub: { url: string },
  auth: Record<string, unknown> = {},
  options = {},
): Promise<Client> {
  const client = new Client(hub, auth, options);
  onTestFinished(() => client.close());
  await new Promise<void>((resolve, reject) => {
    client.socket.once('connect', resolve);
    client.socket.once('connect_error', (error) => {
      const { data } = error as Error & { data?: WireError };
      reject(data ? Object.assign(new Error(data.message), data) : error);
    });
  });
  return client;
}

/** Connects an agent and waits until it is ready. */
export async function connectAgent(
  hub: { url: string },
  project: string,
  agentId: string,
  more: Record<string, unknown> = {},
) {
  const client = await connect(hub, { project, agent_id: agentId, ...more });
  await client.hear('session.ready');
  return client;
}
