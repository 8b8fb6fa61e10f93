import { inspect, stripVTControlCharacters } from 'node:util';
import { limits } from '@switchyard/shared/limits';
import { DoNotRetry, Split, type Completion, type Handler, type Stopped } from './context.ts';

/** What a handler did. */
export type Settled = { returned: Awaited<ReturnType<Handler>> } | { threw: unknown };

/** How an item is to end. */
export type Outcome =
  | { kind: 'complete'; result_summary: string; files_modified: string[] }
  | { kind: 'fail'; failure_reason: string; retryable: boolean }
  | { kind: 'release'; reason: string };

/** Never rejects. */
export async function settle(handle: () => ReturnType<Handler>): Promise<Settled> {
  try {
    return { returned: await handle() };
  } catch (threw) {
    return { threw };
  }
}

/**
 * What the hub is to be told. After an abort only a result or a split is one: whoever threw, or returned nothing, has
 * stopped. Null: there is nothing to tell.
 */
export function outcomeOf(settled: Settled, stopped: Stopped | null): Outcome | null {
  const said = 'returned' in settled ? settled.returned : settled.threw;
  if (said instanceof Split) return { kind: 'release', reason: plain(said.reason, limits.noteLength) };
  if ('threw' in settled) return stopped ? null : failureOf(settled.threw);
  if (settled.returned === undefined && stopped) return null;
  const completion =
    typeof settled.returned === 'object' ? settled.returned : { result_summary: settled.returned };
  const { result_summary, files_modified = [] } = completion as Partial<Completion>;
  return { kind: 'complete', result_summary: plain(result_summary || 'Done.'), files_modified };
}

function failureOf(threw: unknown): Outcome {
  return {
    kind: 'fail',
    failure_reason: plain(reasonOf(threw)) || 'The handler failed without saying why.',
    retryable: !(threw instanceof DoNotRetry),
  };
}

/** An error in one line each for it and its causes. */
export function reasonOf(threw: unknown): string {
  if (!(threw instanceof Error)) return typeof threw === 'string' ? threw : inspect(threw);
  const named = ['Error', 'DoNotRetry', 'Refusal'].includes(threw.name) ? '' : `${threw.name}: `;
  const cause = threw.cause === undefined ? '' : `\nbecause of: ${reasonOf(threw.cause)}`;
  return `${named}${threw.message}${cause}`;
}

/** Text as the hub takes it: it refuses colours and control characters, and what is too long. */
export function plain(text: string, max: number = limits.longTextLength): string {
  // eslint-disable-next-line no-control-regex
  const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;
  const clean = stripVTControlCharacters(text).replace(controls, '').toWellFormed();
  return clean.length <= max
    ? clean
    : `${clean
        .slice(0, max - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`;
}
