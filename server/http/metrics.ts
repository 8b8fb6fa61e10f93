import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Hub } from '../hub.ts';
import type { SocketSide } from '../socket/server.ts';

export interface Metrics {
  text(): Promise<string>;
  contentType: string;
}

/** What Prometheus asks for: the process, and what this hub holds. */
export function openMetrics(hub: Hub, sockets: () => SocketSide): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'switchyard_' });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `switchyard_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge('sockets', 'Connections open now.', () => sockets().io.sockets.sockets.size);
  gauge('agents', 'Agents connected to this hub now.', () => sockets().agents.size);
  gauge('database_reachable', '1 while the database answers.', () => (hub.db.reachable ? 1 : 0));
  return { text: () => registry.metrics(), contentType: registry.contentType };
}
