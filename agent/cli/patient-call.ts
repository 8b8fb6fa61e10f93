import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type ErrorCode } from '@switchyard/shared/errors';
import { callTimeoutMsDefault, type Call } from '../call.ts';
import { withRequestId } from '../request-id.ts';

const triesMax = 3;
const pauseMsFirst = 200;
const passing: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'RATE_LIMITED']);

/**
 * Sends a command again when the hub is away for a moment, as in a restart; under one `request_id`, so that what was
 * done already is not done twice. Who waits at a prompt is told after a second that nobody answers.
 */
export function patient(call: Call): Call {
  return async (command, input, options) => {
    const same = withRequestId(command, input);
    const deadline = performance.now() + (options?.timeoutMs ?? callTimeoutMsDefault);
    for (let tries = 1; ; tries++) {
      try {
        return await call(command, same, options);
      } catch (error) {
        if (!(error instanceof Refusal) || !passing.has(error.code) || tries === triesMax) throw error;
        const pauseMs = Number(error.details.retry_after_ms ?? pauseMsFirst * 2 ** (tries - 1));
        if (performance.now() + pauseMs > deadline) throw error;
        await sleep(pauseMs);
      }
    }
  };
}
