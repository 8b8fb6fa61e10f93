import type { CommandInput, CommandName, CommandOutput } from '@switchyard/shared/commands';

export interface CallOptions {
  /** How long to wait for an answer, reconnects included. */
  timeoutMs?: number;
}

/**
 * Sends one command and answers with its result, over whatever carries it. A refusal throws a `Refusal`; no
 * answer in time throws one with code `UNAVAILABLE`.
 *
 *     const { item } = await call('item.get', { id });
 */
export type Call = <K extends CommandName>(
  command: K,
  input: CommandInput<K>,
  options?: CallOptions,
) => Promise<CommandOutput<K>>;

export const callTimeoutMsDefault = 10_000;
