import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandOutput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import { backoffMs } from '../backoff.ts';
import type { WorkHub } from './hub.ts';
import { plain, type Outcome } from './outcome.ts';
import { untilAnswered, type Run } from './run.ts';

export type NextAnswer = CommandOutput<'item.claim_next'>;

const faultTriesMax = 5;
const faultPause = { baseMs: 500, capMs: 10_000 };

export interface Delivered {
  /** What the hub took: what was wished, or what stands for it where the hub would not have that. */
  outcome: Outcome;
  next: NextAnswer | null;
}

/**
 * Tells the hub how an item ended, over as many reconnects as it takes. A result that the hub would not have (a path
 * that is none, say) fails the item with the reason, rather than hold it for ever. Throws the refusal when the claim is
 * over, or no hub will be tried again.
 */
export async function deliver(
  hub: WorkHub,
  run: Run,
  wish: Outcome,
  claim_next: boolean,
): Promise<Delivered> {
  let outcome = wish;
  for (;;) {
    try {
      return { outcome, next: await send(hub, run, outcome, claim_next) };
    } catch (error) {
      const instead = isUnfit(error) ? insteadOf(outcome, error) : null;
      if (!instead) throw error;
      outcome = instead;
    }
  }
}

async function send(
  hub: WorkHub,
  { item, attempt }: Run,
  outcome: Outcome,
  claim_next: boolean,
): Promise<NextAnswer | null> {
  const held = { id: item.id, attempt, request_id: randomUUID() };
  switch (outcome.kind) {
    case 'release': {
      const { reason } = outcome;
      await insist(() => hub.call('item.release', { ...held, reason }, untilAnswered));
      return null;
    }
    case 'complete': {
      const { result_summary, files_modified } = outcome;
      const input = { ...held, result_summary, files_modified, claim_next };
      return (await insist(() => hub.call('item.complete', input, untilAnswered))).next ?? null;
    }
    case 'fail': {
      const { failure_reason, retryable } = outcome;
      const input = { ...held, failure_reason, retryable, claim_next };
      return (await insist(() => hub.call('item.fail', input, untilAnswered))).next ?? null;
    }
  }
}

/** A fault of the hub's may pass. The input stays what it is, so that what was done all the same is not done twice. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'INTERNAL' || tries === faultTriesMax) throw error;
      await sleep(backoffMs(tries, faultPause));
    }
  }
}

function isUnfit(error: unknown): error is Refusal {
  return error instanceof Refusal && ['VALIDATION', 'PAYLOAD_TOO_LARGE', 'INTERNAL'].includes(error.code);
}

function insteadOf(outcome: Outcome, refusal: Refusal): Outcome | null {
  const because = `The hub did not take the result: ${refusal.message}`;
  if (outcome.kind === 'complete') {
    const failure_reason = plain(`${because}\nThe summary was: ${outcome.result_summary}`);
    return { kind: 'fail', failure_reason, retryable: false };
  }
  return outcome.kind === 'fail' ? { kind: 'release', reason: 'Its failure could not be told.' } : null;
}
