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
  if (stopped && (settled.returned ?? null) === null) return null;
  const { result_summary, files_modified } = completionOf(settled.returned);
  return {
    kind: 'complete',
    result_summary: plain(textOf(result_summary) || 'Done.'),
    // The hub says so where they are none.
    files_modified: (files_modified ?? []) as string[],
  };
}

/** Not every program is checked for types: what is no completion was done all the same, and is its own summary. */
function completionOf(returned: unknown): Partial<Record<keyof Completion, unknown>> {
  const isCompletion =
    typeof returned === 'object' &&
    returned !== null &&
    ('result_summary' in returned || 'files_modified' in returned);
  return isCompletion ? returned : { result_summary: returned };
}

function failureOf(threw: unknown): Outcome {
  return {
    kind: 'fail',
    failure_reason: plain(textOf(threw)) || 'The handler failed without saying why.',
    retryable: !(threw instanceof DoNotRetry),
  };
}

/** Anything in words; an error in one line each for it and its causes. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  try {
    return value instanceof Error ? linesOf(value).join('\nbecause of: ') : wordOf(value);
  } catch {
    return ''; // a getter of its own threw
  }
}

/** Causes may go round in a circle. */
function linesOf(error: Error): string[] {
  const lines: string[] = [];
  for (let at: unknown = error; at !== undefined && lines.length < linesMax;) {
    if (!(at instanceof Error)) return [...lines, wordOf(at)];
    const named = ['Error', 'DoNotRetry', 'Refusal'].includes(at.name) ? '' : `${at.name}: `;
    lines.push(named + at.message);
    at = at.cause;
  }
  return lines;
}

const linesMax = 10;
const wordOf = (value: unknown) => (typeof value === 'string' ? value : inspect(value));

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
