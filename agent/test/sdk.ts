// What tests of the SDK do again and again: an agent that works, through a network that may break.
import { onTestFinished } from 'vitest';
import { adminToken } from '../../server/test/setup/hub.ts';
import { connect, type ConnectOptions, type HubClient } from '../client.ts';
import type { Handler, Stopped, WorkContext } from '../work/context.ts';
import type { Worker, WorkOptions } from '../work/options.ts';
import { proxyTo, type Proxy } from './proxy.ts';

/** An agent of the project; it is closed, whatever it does, when the test ends. */
export async function agentOf(
  hub: { url: string },
  project: { name: string },
  options: Partial<ConnectOptions> = {},
): Promise<HubClient> {
  const client = await connect({
    url: hub.url,
    token: adminToken,
    project: project.name,
    agentId: 'anna',
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

export async function proxied(hub: { url: string }): Promise<Proxy> {
  const proxy = await proxyTo(hub.url);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Starts to work; it is closed without ado when the test ends. */
export function workOf(client: HubClient, handler: Handler, options: WorkOptions = {}): Worker {
  const worker = client.work(handler, { stopMs: 200, ...options });
  worker.closed.catch(() => {}); // who is interested awaits it
  onTestFinished(() => worker.close({ drainMs: 0 }).catch(() => {}));
  return worker;
}

/** Resolves once a handler is to stop, with the reason. */
export function stopOf({ signal }: WorkContext): Promise<Stopped> {
  return new Promise((resolve) => {
    const tell = () => resolve(signal.reason as Stopped);
    if (signal.aborted) tell();
    else signal.addEventListener('abort', tell, { once: true });
  });
}

/** A handler that waits until it is told what to do. */
export interface Waiting<T> {
  began: Promise<T>;
  enter: (value: T) => void;
  go: Promise<void>;
  letGo: () => void;
}

export function waiting<T>(): Waiting<T> {
  const began = Promise.withResolvers<T>();
  const go = Promise.withResolvers<void>();
  return { began: began.promise, enter: began.resolve, go: go.promise, letGo: go.resolve };
}
