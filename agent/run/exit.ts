import { constants } from 'node:os';
import type { Ending } from './child.ts';
import { sayDuration } from './duration.ts';

/**
 * A command that ends with this says: not this item, however often it is tried. EX_DATAERR of sysexits.h, "the input
 * data was incorrect": shells, signals (128 and up) and test runners (1, 2) never end so by themselves.
 */
export const doNotRetryCode = 65;

/**
 * The other that has a meaning: the item is given back, and offered again when it is ready; so a command that made
 * sub-items of it, or that cannot go on just now. EX_TEMPFAIL, "try again later".
 */
export const giveBackCode = 75;

/** What became of a command, for the failure's reason: "exit 3", "ended by SIGSEGV", "timed out after 10 min". */
export function sayEnding(ending: Ending, timeoutMs: number | undefined): string {
  if (ending.by === 'timeout') return `timed out after ${sayDuration(timeoutMs!)}`;
  if (ending.by === 'abort') return 'stopped';
  if (ending.signal) return `ended by ${ending.signal}`;
  const code = ending.code ?? 0;
  return `exit ${code}${meaningOf(code)}`;
}

function meaningOf(code: number): string {
  if (code === doNotRetryCode) return ' (do not retry)';
  if (code === giveBackCode) return ' (give back)';
  if (code === 126) return ' (not executable)';
  if (code === 127) return ' (command not found)';
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return signal ? ` (${signal})` : '';
}
