// A hub of its own process, as agents and scripts speak to it.
import { io, type Socket } from 'socket.io-client';
import type { BenchHub } from '../../../bench/hub.ts';

/** The socket of an agent, once it is welcome. */
export async function connectAgent(hub: BenchHub, project: string, agent_id: string): Promise<Socket> {
  const auth = { token: hub.token, project, agent_id };
  const socket = io(hub.url, { transports: ['websocket'], auth, forceNew: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('session.ready', () => resolve()).once('connect_error', reject);
  });
  return socket;
}

/** A command over a socket. Throws what it is refused with. */
export async function ask<T>(socket: Socket, name: string, input: object): Promise<T> {
  const answer = (await socket.timeout(20_000).emitWithAck(name, input)) as
    { ok: true; result: T } | { ok: false; error: { message: string } };
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.result;
}

/** A call over HTTP, as the operator: a GET without a body, else a POST. */
export async function call<T>(hub: BenchHub, path: string, body?: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${hub.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
