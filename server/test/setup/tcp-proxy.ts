// A way to the database that can be interrupted as networks are.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Which bytes get lost: towards the database, or its answers. */
export type Direction = 'there' | 'back';

interface Connection {
  client: Socket;
  server: Socket;
  lost: Set<Direction>;
  /** How many answers still come back before one is lost, and the connection with it. */
  answersLeft: number;
}

export interface TcpProxy {
  port: number;
  /** Where new connections lead. */
  target: { host: string; port: number };
  /** From now on the connections there are lose what goes this way, and nobody is told; new ones are well. */
  loseSilently(...directions: Direction[]): void;
  /** Resets all connections. */
  reset(): void;
  /** On the next connection that sends these words so many answers come back; the one after is lost, and it is reset. */
  resetAfter(answers: number, words: string): void;
}

/** Listens on a port of its own and passes on to `target`: a host, or the folder of a PostgreSQL's socket. */
export async function startProxy(target: TcpProxy['target']): Promise<TcpProxy> {
  const connections = new Set<Connection>();
  let trap: { answers: number; words: string } | null = null;
  const server = createServer((client) => {
    const { host, port } = proxy.target;
    const upstream = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    const connection: Connection = { client, server: upstream, lost: new Set(), answersLeft: Infinity };
    connections.add(connection);
    client.on('data', (bytes) => {
      if (!trap || !bytes.includes(trap.words)) return;
      connection.answersLeft = trap.answers;
      trap = null;
    });
    pass(client, upstream, () => connection.lost.has('there'));
    // Before they are passed on.
    const endsOf = answerEnds();
    upstream.on('data', (bytes) => {
      const ends = endsOf(bytes);
      const kept = connection.answersLeft;
      connection.answersLeft -= ends.length;
      if (connection.answersLeft >= 0) return;
      if (kept > 0) client.write(bytes.subarray(0, ends[kept - 1]));
      connection.lost.add('back');
      // Not before what it was still to hear is on its way.
      setImmediate(() => client.resetAndDestroy());
    });
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
    resetAfter: (answers, words) => (trap = { answers, words }),
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

/** Where in each piece that PostgreSQL sends its answers end: with ReadyForQuery. */
function answerEnds(): (bytes: Buffer) => number[] {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    const before = rest.length;
    rest = Buffer.concat([rest, bytes]);
    const ends: number[] = [];
    let at = 0;
    while (rest.length >= at + 5 && rest.length >= at + 1 + rest.readInt32BE(at + 1)) {
      const end = at + 1 + rest.readInt32BE(at + 1);
      if (rest[at] === 'Z'.charCodeAt(0)) ends.push(end - before);
      at = end;
    }
    rest = rest.subarray(at);
    return ends;
  };
}
