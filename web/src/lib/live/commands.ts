// The one way in which the board asks the hub for something over its socket.
import type { CommandInput, CommandName, CommandOutput } from '@switchyard/shared/commands';
import type { Answer } from '@switchyard/shared/protocol';
import { HubError } from '#lib/api.ts';
import { newRequestId } from '#lib/request-id.ts';
import { ask, type HubSocket } from './socket.ts';

/** How long a command outlives a lost connection before it is given up. */
const patienceMs = 30_000;

const reading = /\.(list|get|graph|history|explain|progress|conflicts|agents|events)$/;

/**
 * Runs a command and answers with its result, or throws a {@link HubError} with the hub's own words. A change carries
 * a `request_id`, the caller's where it has one, so that it is asked again after a lost connection, and happens once.
 *
 *     const { item } = await callHub(socket, 'item.cancel', { id, dependents: 'block' });
 */
export async function callHub<K extends CommandName>(
  socket: HubSocket,
  name: K,
  input: CommandInput<K>,
): Promise<CommandOutput<K>> {
  const asked = reading.test(name) ? input : { request_id: newRequestId(), ...input };
  const deadline = performance.now() + patienceMs;
  for (;;) {
    await connected(socket, deadline);
    const answer = await (ask(socket, name, asked as never) as Promise<Answer<CommandOutput<K>>>).catch(
      () => null,
    );
    if (answer?.ok) return answer.result;
    if (answer && answer.error.code !== 'UNAVAILABLE') throw new HubError(answer.error);
    if (performance.now() > deadline) throw new HubError(answer?.error ?? gone);
    if (answer) await pause(Math.min(Number(answer.error.details.retry_after_ms) || 500, 5_000));
  }
}

const gone = {
  code: 'UNAVAILABLE',
  message: 'The hub cannot be reached. Nothing more is tried; do it again once the board is live.',
  details: {},
} as const;

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** Resolves once the socket is open; rejects when it is not by the deadline, or was closed for good. */
function connected(socket: HubSocket, deadline: number): Promise<void> {
  if (socket.connected) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const open = () => {
      clearTimeout(timer);
      resolve();
    };
    const giveUp = () => {
      socket.off('connect', open);
      reject(new HubError(gone));
    };
    const timer = setTimeout(giveUp, Math.max(0, deadline - performance.now()));
    socket.once('connect', open);
  });
}
