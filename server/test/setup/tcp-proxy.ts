// A way to the database that can be interrupted as networks are.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Which bytes get lost: towards the database, or its answers. */
export type Direction = 'there' | 'back';

interface Connection {
  client: Socket;
  server: Socket;
  lost: Set<Direction>;
}

export interface TcpProxy {
  port: number;
  /** Where new connections lead. */
  target: { host: string; port: number };
  /** From now on the connections there are lose what goes this way, and nobody is told; new ones are well. */
  loseSilently(...directions: Direction[]): void;
  /** Resets all connections. */
  reset(): void;
}

/** Listens on a port of its own and passes on to `target`: a host, or the folder of a PostgreSQL's socket. */
export async function startProxy(target: TcpProxy['target']): Promise<TcpProxy> {
  const connections = new Set<Connection>();
  const server = createServer((client) => {
    const { host, port } = proxy.target;
    const upstream = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const connection: Connection = { client, server: upstream, lost: new Set() };
    connections.add(connection);
    pass(client, upstream, () => connection.lost.has('there'));
    pass(upstream, client, () => connection.lost.has('back'));
    client.on('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = () => {
    for (const { client, server: upstream } of connections) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  onTestFinished(() => {
    server.close();
    reset();
  });
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    target,
    loseSilently: (...directions) => {
      for (const { lost } of connections) for (const direction of directions) lost.add(direction);
    },
    reset,
  };
  return proxy;
}

/** Also ends are lost silently: the other side hears nothing any more. */
function pass(from: Socket, to: Socket, isLost: () => boolean): void {
  from.on('data', (bytes) => {
    if (!isLost() && !to.destroyed) to.write(bytes);
  });
  from.on('close', () => {
    if (!isLost()) to.destroy();
  });
  from.on('error', () => {});
}
