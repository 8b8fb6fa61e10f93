import postgres from 'postgres';
import { Refusal } from '@switchyard/shared/errors';

/** SQLSTATEs that the code answers to, named once. */
export const sqlstate = {
  serializationFailure: '40001',
  deadlock: '40P01',
  uniqueViolation: '23505',
  foreignKeyViolation: '23503',
  invalidRegex: '2201B',
} as const;

const connectionCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Of those, what happens to a connection, or half of one; the others say that none came about. */
const breakingCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
]);
// 57P01–4: shutting down, crashed, starting up, dropped. Class 08: connection, 53: out of disk, memory or connections, 58: its own
// files. 25006: it may be read only, as a standby is. 28, 3D000: it lets us in no more.
const unavailableStates = /^(57P0[1234]|08...|28...|3D000|53...|58...|57014|55P03|25P03|25006)$/;
// It took too long, what it needed was locked, or it wanted to write where one may only read: others are carried out.
const passingStates = /^(57014|55P03|25006)$/;

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Another transaction changed the same project first: nothing was done, and the statement may simply run again. */
export function isRetryable(error: unknown): boolean {
  const code = codeOf(error);
  return code === sqlstate.serializationFailure || code === sqlstate.deadlock || isRepeatedRequest(error);
}

/** The same request_id was being answered elsewhere at this moment: run again, and its answer will be found. */
function isRepeatedRequest(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.constraint_name === 'requests_pkey';
}

/** The database could not be reached or could not work; whether a change was made is not known. */
export function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  return (
    error instanceof DeadlineError ||
    (code !== undefined && (connectionCodes.has(code) || unavailableStates.test(code)))
  );
}

/** Of those, what one statement met with while the database works. */
export function failsAlone(error: unknown): boolean {
  return passingStates.test(codeOf(error) ?? '');
}

/** Not only this statement failed: its connection is gone, or cannot be trusted any more. */
export function breaksConnection(error: unknown): boolean {
  const code = codeOf(error);
  return (
    error instanceof DeadlineError ||
    (code !== undefined && (breakingCodes.has(code) || /^(57P0|08)/.test(code)))
  );
}

export function unavailable(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'The database does not answer. Try again; with the same request_id you learn whether it had been done.',
    { retry_after_ms: 1_000 },
  );
}
