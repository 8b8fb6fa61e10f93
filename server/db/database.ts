import postgres from 'postgres';
import { breaksConnection, DeadlineError, failsAlone, isOutage, isRetryable, unavailable } from './outage.ts';

export type Sql = postgres.Sql;
export type Fragment = postgres.Fragment | postgres.PendingQuery<postgres.Row[]>;

type Query<T> = (sql: Sql) => Promise<T>;

/** A URL, or what reaches the embedded server: its unix socket has no URL that the client could read. */
export type Address = string | { host: string; port: number; user: string; database: string };

const laneCount = 4;
const retryMax = 40;

/** How long a statement may take, in ms: first PostgreSQL's own limit, then ours, for when it cannot even say so. */
const statementMsMax = 10_000;
const deadlineMs = 15_000;
/** A connection that is closed while it is made may hang; it costs this much. */
const connectSecondsMax = 3;

export interface Database {
  /** Whatever needs no lane: reads, and small writes that touch no item. */
  read<T>(query: Query<T>): Promise<T>;
  /** Heartbeats, sweep, tokens: small work that must not wait behind the rest. */
  control<T>(query: Query<T>): Promise<T>;
  /** All statements of one key go down one connection, in the order they were sent, without waiting between. */
  lane<T>(key: string, query: Query<T>): Promise<T>;
  /**
   * Calls `heard` on every notification, and `missed` whenever the connection was (re)made. Called again, it gives the
   * connection up for a new one: whether the old one still hears is for the caller to find out.
   */
  listen(channel: string, heard: (payload: string) => void, missed: () => void): Promise<void>;
  /** When the database last came back from an outage, by this process's monotonic clock in ms; 0: never away. */
  readonly recoveredAtMs: number;
  readonly reachable: boolean;
  close(): Promise<void>;
}

/**
 * Opens the pools on one database. Statements are single ones, each its own transaction at REPEATABLE READ: every
 * change locks its project's row first, so a statement whose snapshot was overtaken by another hub fails with 40001
 * and runs again on a fresh one. READ COMMITTED would let it go on with what it read before it waited: a completion
 * would miss a dependency that the other hub had just added, and the dependent would wait for ever.
 */
export function openDatabase(address: Address, tell: Told = () => {}): Database {
  const name = 'switchyard';
  const health = new Health(tell);
  const pool = (max: number, settings = {}, vital = false) =>
    new Pool((onclose) => connect(address, { max, name, settings, onclose }), health, vital);
  const read = pool(4);
  const control = pool(2, {}, true);
  const lanes = Array.from({ length: laneCount }, () => pool(1, laneSettings));
  let listener: Sql | null = null;
  return {
    read: (query) => read.run(query),
    control: (query) => control.run(query),
    lane: (key, query) => lanes[hash(key) % laneCount]!.run(query),
    listen: async (channel, heard, missed) => {
      discard(listener, 0);
      listener = connect(address, { max: 1, name });
      await inTime(listener.listen(channel, heard, missed));
    },
    get reachable() {
      return health.reachable;
    },
    get recoveredAtMs() {
      return health.recoveredAtMs;
    },
    close: async () => {
      discard(listener, 0);
      await Promise.allSettled([read, control, ...lanes].map((one) => one.end()));
    },
  };
}

function hash(key: string): number {
  let sum = 0;
  for (let i = 0; i < key.length; i++) sum = (sum * 31 + key.charCodeAt(i)) >>> 0;
  return sum;
}

// Statements of a lane are planned once, perhaps while the tables are small; see also byId in domain/wire.ts.
const laneSettings = { enable_seqscan: 'off' };

interface Connecting {
  max: number;
  name: string;
  settings?: Record<string, string>;
  /** Hears that a connection closed, or did not come about. */
  onclose?: () => void;
}

/** Lists as parameters: text[], varchar[], uuid[], int[], bigint[]. None is read back. */
const arrayType = {
  to: 1009,
  from: [1009, 1015, 2951, 1007, 1016],
  serialize: (list: unknown[]) =>
    `{${list.map((one) => `"${String(one).replace(/[\\"]/g, '\\$&')}"`).join()}}`,
  parse: (literal: string) => literal,
};

export function connect(address: Address, { max, name, settings = {}, onclose = () => {} }: Connecting): Sql {
  const options = {
    max,
    connect_timeout: connectSecondsMax,
    backoff: (tries: number) => Math.min(0.5, 0.02 * 2 ** tries),
    // Then one that closes is broken.
    max_lifetime: null,
    onclose,
    onnotice: () => {},
    // It would ask for them on every connection, and a connection that breaks just then is an unhandled rejection,
    // which ends the process.
    fetch_types: false,
    types: { array: arrayType },
    connection: {
      application_name: name,
      TimeZone: 'UTC',
      default_transaction_isolation: 'repeatable read' as const,
      // One claim 0.51 ms instead of 0.94: the statements are large, and planning them anew costs more than they do.
      plan_cache_mode: 'force_generic_plan',
      jit: 'off',
      random_page_cost: 1.1,
      statement_timeout: statementMsMax,
      lock_timeout: 5_000,
      idle_in_transaction_session_timeout: 10_000,
      ...settings,
    },
  };
  return typeof address === 'string' ? postgres(address, options) : postgres({ ...address, ...options });
}

/** Hears that the database went away, and why; or, without an error, that it is back. */
export type Told = (error?: Error) => void;

class Health {
  reachable = true;
  recoveredAtMs = 0;
  readonly #tell: Told;

  constructor(tell: Told) {
    this.#tell = tell;
  }

  answers(): void {
    if (this.reachable) return;
    this.reachable = true;
    this.recoveredAtMs = performance.now();
    this.#tell();
  }

  fails(error: unknown): void {
    if (!this.reachable) return;
    this.reachable = false;
    this.#tell(error as Error);
  }
}

/** Ends connections; what is under way on them may go on for so long. */
function discard(sql: Sql | null, seconds: number): void {
  sql?.end({ timeout: seconds }).catch(() => {});
}

/**
 * One pool of connections, replaced as a whole when one of them breaks or a statement passes its deadline. The client
 * would connect again by itself, but may then send what the broken connection had left unsent before its own first
 * message, or never send anything (postgres 3.4.9: `chunk` and `nextWriteTimer` outlive the socket); what it sends
 * between a socket's error and its end it forgets; and what is queued when a pool ends is neither sent nor refused. So
 * what was under way on a pool that is given up is refused here.
 */
class Pool {
  #sql: Sql;
  #underWay = new Set<(error: Error) => void>();
  #ended = false;
  readonly #make: (onclose: () => void) => Sql;
  readonly #health: Health;
  /** Signs of life go this way: where one is too late, agents were not heard. */
  readonly #vital: boolean;

  constructor(make: (onclose: () => void) => Sql, health: Health, vital: boolean) {
    this.#make = make;
    this.#sql = this.#open();
    this.#health = health;
    this.#vital = vital;
  }

  #open(): Sql {
    const sql = this.#make(() => {
      if (sql === this.#sql && !this.#ended) this.#replace();
    });
    return sql;
  }

  async run<T>(query: Query<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const sql = this.#sql;
      try {
        const result = await inTime(query(sql), this.#underWay);
        this.#health.answers();
        return result;
      } catch (error) {
        if (isRetryable(error)) {
          if (tries < retryMax) continue;
          throw unavailable();
        }
        if (!isOutage(error)) throw error;
        if (this.#vital || !failsAlone(error)) this.#health.fails(error);
        if (breaksConnection(error) && sql === this.#sql) this.#replace();
        throw unavailable();
      }
    }
  }

  end(): Promise<void> {
    this.#ended = true;
    return this.#sql.end({ timeout: 2 });
  }

  #replace(): void {
    discard(this.#sql, 0);
    for (const refuse of this.#underWay) refuse(new DeadlineError('its connection was given up'));
    this.#sql = this.#open();
    this.#underWay = new Set();
  }
}

/** Waits for `work`, but not for ever: until its deadline, or until somebody refuses what is `underWay`. */
async function inTime<T>(work: Promise<T>, underWay = new Set<(error: Error) => void>()): Promise<T> {
  const { promise: refused, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new DeadlineError(`no answer within ${deadlineMs} ms`)), deadlineMs);
  underWay.add(reject);
  try {
    return await Promise.race([work, refused]);
  } finally {
    clearTimeout(timer);
    underWay.delete(reject);
  }
}
