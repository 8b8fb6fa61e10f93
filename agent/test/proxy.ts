import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Which bytes get lost: the client's, or the hub's. */
export type Direction = 'requests' | 'answers';

/** Stands between a client and a hub, and breaks what a network breaks. */
export interface Proxy {
  url: string;
  /** From now on what the hub says gets lost; the hub still hears the client. */
  loseAnswers(): void;
  /** From now on what the client says gets lost; it still hears the hub. */
  loseRequests(): void;
  /** How many bytes were lost so far that way. */
  lost(direction: Direction): number;
  /** Cuts every connection; new ones come through, and nothing is lost any more. */
  cut(): void;
  /** Cuts every connection, and every new one at once, until `up`. */
  down(): void;
  up(): void;
  /** Where new connections lead. */
  leadTo(url: string): void;
  close(): void;
}

export async function proxyTo(url: string): Promise<Proxy> {
  let target = new URL(url);
  const open = new Set<Socket>();
  const losing = new Set<Direction>();
  const lost = { requests: 0, answers: 0 };
  let isDown = false;
  const pass = (to: Socket, direction: Direction, data: Buffer) => {
    if (losing.has(direction)) lost[direction] += data.length;
    else to.write(data);
  };
  const server = createServer((client) => {
    if (isDown) return void client.resetAndDestroy();
    const { hostname, port, host } = target;
    const hub = connect(Number(port), hostname);
    for (const socket of [client, hub]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        hub.destroy();
      });
    }
    // A hub answers to its own name only.
    client.once('data', (data) => {
      hub.write(data.toString('latin1').replace(/(?<=\r\nHost: )[^\r]+/i, host), 'latin1');
      client.on('data', (more) => pass(hub, 'requests', more));
    });
    hub.on('data', (data) => pass(client, 'answers', data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    losing.clear();
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseAnswers: () => losing.add('answers'),
    loseRequests: () => losing.add('requests'),
    lost: (direction) => lost[direction],
    cut,
    down: () => {
      isDown = true;
      cut();
    },
    up: () => (isDown = false),
    leadTo: (url) => (target = new URL(url)),
    close: () => {
      server.close();
      cut();
    },
  };
}
