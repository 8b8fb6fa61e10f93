import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { v7 as newId } from 'uuid';
import { Refusal } from '@switchyard/shared/errors';
import { adminTokenIn } from './admin-token.ts';
import type { Config } from './config.ts';
import { openDatabase, type Address } from './db/database.ts';
import { migrate } from './db/migrate.ts';
import { ensureAdminToken } from './domain/tokens.ts';
import { Feed } from './feed.ts';
import { httpApp } from './http/app.ts';
import { openMetrics } from './http/metrics.ts';
import type { OriginRules } from './http/origin.ts';
import type { Hub } from './hub.ts';
import { Lanes } from './lanes.ts';
import type { Logger } from './log.ts';
import { serveMcp } from './mcp/endpoint.ts';
import { Notifier } from './notify.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './postgres/cluster.ts';
import { answersMsMax, serveSockets, settled, type SocketSide } from './socket/server.ts';
import { Sweeper } from './sweeper.ts';
import { worksFor } from './works.ts';

export interface RunningHub {
  url: string;
  adminToken: string;
  /** Answers what is under way, sends agents away to come back, and stops; claims stay. */
  stop(): Promise<void>;
}

export interface StartOptions {
  config: Config;
  log: Logger;
  /** Says in sentences what takes long. */
  say?: (message: string) => void;
  /** In place of DATABASE_URL and the embedded server, for tests. */
  database?: Address;
}

const boardFolder = new URL('../web/build/', import.meta.url);
const closeMs = 500;
const goingDown = JSON.stringify({
  error: new Refusal('UNAVAILABLE', 'The hub is going down. Repeat this in a moment.', {
    retry_after_ms: 1_000,
  }),
});

/** Puts a hub together from its parts: `main.ts` and the tests start the same thing. */
export async function startHub({ config, log, say = () => {}, database }: StartOptions): Promise<RunningHub> {
  const adminToken = config.adminToken ?? adminTokenIn(config.dataDir);
  const embedded =
    database || config.databaseUrl
      ? null
      : await startEmbeddedPostgres({ dataDir: config.dataDir, log: say });
  try {
    const address = database ?? config.databaseUrl ?? embedded!.connection;
    await migrate(address, say);
    return await serve({ config, log, address, adminToken, embedded });
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

interface Ground {
  config: Config;
  log: Logger;
  address: Address;
  adminToken: string;
  embedded: EmbeddedPostgres | null;
}

async function serve({ config, log, address, adminToken, embedded }: Ground): Promise<RunningHub> {
  const db = openDatabase(address, (error) => {
    if (error)
      log.error(`the database does not answer, and commands are refused until it does: ${error.message}`);
    else log.info('the database answers again');
  });
  const feed = new Feed(db, log);
  const notifier = new Notifier(db, log);
  const lanes = new Lanes(db, (projectId, rows) => {
    feed.accept(projectId, rows);
    notifier.wrote(projectId);
  });
  const { timing } = config;
  const wrote = (projectId: string) => notifier.wrote(projectId);
  const hub: Hub = { db, lanes, works: worksFor(timing), feed, wrote, log, timing, underWay: new Map() };
  await db.read((sql) => ensureAdminToken(sql, newId(), adminToken));

  const server = createServer();
  const rules: OriginRules = {
    host: config.host,
    port: () => portOf(server),
    allowedOrigins: config.allowedOrigins,
  };
  const metrics = openMetrics(hub, () => sockets);
  const mcp = serveMcp(hub);
  const app = httpApp({ hub, rules, metrics, mcp, boardFolder });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  let stopping: Promise<void> | null = null;
  const answering = new Set<ServerResponse>();
  server.on('request', (request, response) => {
    // One more request on a connection that was kept alive.
    if (stopping) return void response.writeHead(503, { connection: 'close' }).end(goingDown);
    answering.add(response);
    response.once('close', () => answering.delete(response));
    void listener(request, response);
  });
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const sockets: SocketSide = serveSockets(hub, server, rules);
  const sweeper = new Sweeper(hub);
  await notifier.start(feed);
  await listen(server, config);
  sweeper.start();

  const stop = async () => {
    sweeper.stop();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const answered = settled(() => answering.size === 0, answersMsMax);
    await Promise.all([sockets.drain(), mcp.drain(), answered]);
    // Not closeAllConnections(): sockets of paused boards are none of its connections, and would be waited for.
    setTimeout(() => connections.forEach((socket) => socket.destroy()), closeMs).unref();
    await closed;
    await lanes.drained();
    notifier.stop();
    await db.close();
    await embedded?.stop();
  };
  return { url: urlOf(server, config), adminToken, stop: () => (stopping ??= stop()) };
}

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(
        taken
          ? new Error(`Port ${port} is taken. Stop what uses it, or set SWITCHYARD_PORT to another.`)
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}

const portOf = (server: Server) => (server.address() as AddressInfo | null)?.port ?? 0;

function urlOf(server: Server, { host }: Config): string {
  const anywhere = host === '0.0.0.0' || host === '::';
  const name = anywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${portOf(server)}`;
}
