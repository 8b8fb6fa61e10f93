import { randomUUID } from 'node:crypto';
import { commands, type CommandInput, type CommandName } from '@switchyard/shared/commands';

/** Commands that change something: those whose input has a `request_id`. */
const changing = new Set<string>(
  Object.entries(commands)
    .filter(([, { input }]) => ('options' in input ? input.options : [input]).some(hasRequestId))
    .map(([name]) => name),
);

function hasRequestId(input: unknown): boolean {
  return (
    typeof input === 'object' && input !== null && 'shape' in input && 'request_id' in Object(input.shape)
  );
}

/**
 * The same input under a `request_id`, unless it has one or changes nothing: sent twice, it is then done once.
 *
 *     const input = withRequestId('item.complete', { id, attempt: 1, result_summary: 'Three tables' });
 */
export function withRequestId<K extends CommandName>(command: K, input: CommandInput<K>): CommandInput<K> {
  if (!changing.has(command) || requestIdOf(input) !== undefined) return input;
  return { ...input, request_id: randomUUID() };
}

export function requestIdOf(input: object): string | undefined {
  return 'request_id' in input ? (input.request_id as string | undefined) : undefined;
}
