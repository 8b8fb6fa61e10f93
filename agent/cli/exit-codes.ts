import { ExitCode } from '@stricli/core';
import { Refusal, type ErrorCode } from '@switchyard/shared/errors';
import { Misuse } from '../command.ts';
import { NoHub } from '../hub-address.ts';

/** What `switchyard` ends with. Stable: scripts and hooks go by them; docs/cli.md says the same in prose. */
export const exitCodes = {
  done: 0,
  /** The hub said no; `code` of the error says why. */
  refused: 1,
  /** The command line was not right, as this side saw it or the hub; nothing was done. */
  usage: 2,
  /** No hub answered, or it asks to come back in a moment. Repeating it later may help. */
  unreachable: 3,
  /** No token, a wrong one, or one that may not do this. */
  denied: 4,
  /** Well, but there was nothing to do: nothing is ready to be claimed. */
  nothing: 5,
  /** Well, but files are shared with work that is under way. */
  conflict: 6,
  /** A fault of ours. */
  internal: 70,
  /** Ended by Ctrl-C before it was done. */
  interrupted: 130,
} as const;

const codeOf: Partial<Record<ErrorCode, number>> = {
  VALIDATION: exitCodes.usage,
  UNAVAILABLE: exitCodes.unreachable,
  RATE_LIMITED: exitCodes.unreachable,
  UNAUTHENTICATED: exitCodes.denied,
  FORBIDDEN: exitCodes.denied,
};

/** The exit code for whatever a command threw. */
export function exitCodeFor(error: unknown): number {
  if (error instanceof Refusal) return codeOf[error.code] ?? exitCodes.refused;
  if (error instanceof Misuse) return exitCodes.usage;
  if (error instanceof NoHub) return exitCodes.denied;
  return exitCodes.internal;
}

/** The exit code for what stricli ended with: its own are below zero. */
export function exitCodeOfStricli(code: number): number {
  if (code === ExitCode.UnknownCommand || code === ExitCode.InvalidArgument) return exitCodes.usage;
  return code < 0 ? exitCodes.internal : code;
}
