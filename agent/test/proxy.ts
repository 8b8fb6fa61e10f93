import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and a hub, and breaks what a network breaks. */
export interface Proxy {
  url: string;
  /** From now on the hub's answers get lost; the hub still hears the client. */
  loseAnswers(): void;
  /** Cuts every connection; new ones come through, and answers again. */
  cut(): void;
  close(): void;
}

export async function proxyTo(url: string): Promise<Proxy> {
  const { hostname, port, host } = new URL(url);
  const open = new Set<Socket>();
  let losing = false;
  const server = createServer((client) => {
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
      client.on('data', (more) => hub.write(more));
    });
    hub.on('data', (data) => losing || client.write(data));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    losing = false;
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseAnswers: () => (losing = true),
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
