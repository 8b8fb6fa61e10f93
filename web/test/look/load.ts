import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'socket.io-client';
import { ask } from '../setup/wire.ts';

interface Claim {
  item: { id: string };
  attempt: number;
}

/** How long an agent takes for one step; an item has a few. */
const stepMs = { min: 2_000, max: 7_000 };
const steps = 6;
const notes = [
  'reading what is there',
  'writing the test first',
  'the test fails as it should',
  'making it pass',
  'cleaning up',
  'running all tests',
];
const reasons = [
  'Two tests fail that I did not touch.',
  'The types do not fit: src/store.ts(41,7): TS2322.',
  'No disk left on the build machine.',
];
/** Few enough that two agents meet in one now and then. */
const files = Array.from({ length: 160 }, (_, at) => `internal/part-${Math.floor(at / 8)}/file-${at % 8}.go`);

const below = (bound: number) => Math.floor(Math.random() * bound);
const oneOf = <T>(list: readonly T[]): T => list[below(list.length)]!;

/** Agents that claim what is next, touch files, report how far they are, and complete it, or fail now and then. */
export function startLoad(sockets: readonly Socket[]): () => Promise<void> {
  const stopped = new AbortController();
  const loops = sockets.map((socket) => loop(socket, stopped.signal));
  return async () => {
    stopped.abort();
    await Promise.all(loops);
  };
}

async function loop(socket: Socket, signal: AbortSignal): Promise<void> {
  // The first is half way already, so that not all end at once.
  let from = below(steps);
  while (!signal.aborted) {
    try {
      const { claim } = await ask<{ claim: Claim | null }>(socket, 'item.claim_next', {});
      if (claim) await work(socket, claim, from, signal);
      else await sleep(stepMs.min, null, { signal });
      from = 0;
    } catch {
      // It was stopped, or its item was taken from it: on with the next.
    }
  }
}

async function work(
  socket: Socket,
  { item: { id }, attempt }: Claim,
  from: number,
  signal: AbortSignal,
): Promise<void> {
  const touched = [oneOf(files), oneOf(files)];
  for (let step = from; step < steps; step++) {
    const progress = Math.round((100 * step) / steps) + below(10);
    await ask(socket, 'item.heartbeat', { id, attempt, progress, note: notes[step] });
    if (step === 2) await ask(socket, 'item.report_files', { id, attempt, files: touched });
    await sleep(stepMs.min + below(stepMs.max - stepMs.min), null, { signal });
  }
  if (below(12) === 0)
    await ask(socket, 'item.fail', {
      id,
      attempt,
      failure_reason: oneOf(reasons),
      retryable: below(2) === 0,
    });
  else
    await ask(socket, 'item.complete', {
      id,
      attempt,
      result_summary: 'Done, with tests.',
      files_modified: touched,
    });
}
