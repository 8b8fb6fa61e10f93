import { describe, expect, test } from 'vitest';
import { DoNotRetry, Split, Stopped } from './context.ts';
import { outcomeOf, plain, type Settled } from './outcome.ts';

describe('what the hub is told', () => {
  const failure = { kind: 'fail', failure_reason: 'no', retryable: true };

  test('of a handler that was let finish', () => {
    expect(outcomeOf({ returned: 'ok' }, null)).toEqual({
      kind: 'complete',
      result_summary: 'ok',
      files_modified: [],
    });
    expect(outcomeOf({ returned: '' }, null)).toMatchObject({ result_summary: 'Done.' });
    expect(outcomeOf({ threw: new Error('no') }, null)).toEqual(failure);
    expect(outcomeOf({ threw: 'no' }, null)).toEqual(failure);
    expect(outcomeOf({ threw: new DoNotRetry('no') }, null)).toEqual({ ...failure, retryable: false });
    expect(outcomeOf({ threw: new Error('') }, null)).toMatchObject({
      failure_reason: 'The handler failed without saying why.',
    });
    expect(outcomeOf({ threw: new Split([], 'later') }, null)).toEqual({ kind: 'release', reason: 'later' });
  });

  test('of one that returns or throws what no type allows: a text all the same', () => {
    const summary = (returned: unknown) => {
      const outcome = outcomeOf({ returned } as Settled, null);
      return outcome?.kind === 'complete' ? outcome.result_summary : outcome;
    };
    expect([null, 42, true, [1], { result_summary: 5 }].map(summary)).toEqual([
      'Done.',
      '42',
      'true',
      '[ 1 ]',
      '5',
    ]);
    const unspeakable = new Error('no');
    Object.defineProperty(unspeakable, 'message', {
      get() {
        throw new Error('evil');
      },
    });
    for (const threw of [unspeakable, null, undefined])
      expect(outcomeOf({ threw }, null)).toMatchObject({
        failure_reason: 'The handler failed without saying why.',
      });
    const round = new Error('no', { cause: new TypeError('never') });
    expect(outcomeOf({ threw: round }, null)).toMatchObject({
      failure_reason: 'no\nbecause of: TypeError: never',
    });
    round.cause = round;
    expect(outcomeOf({ threw: round }, null)).toMatchObject({
      failure_reason: expect.stringMatching(/^no\nbecause of: no\n/) as string,
    });
  });

  test('of one that was to stop: a result, and nothing else', () => {
    const stopped = new Stopped('shutdown', 'The worker is closing.');
    expect(outcomeOf({ returned: 'ok' }, stopped)).toMatchObject({ kind: 'complete' });
    expect(outcomeOf({ returned: new Split([], 'later') }, stopped)).toMatchObject({ kind: 'release' });
    expect(outcomeOf({ returned: undefined }, stopped)).toBeNull();
    expect(outcomeOf({ returned: null } as unknown as Settled, stopped)).toBeNull();
    expect(outcomeOf({ threw: new Error('aborted') }, stopped)).toBeNull();
  });
});

test('text is made fit: no colours, no control characters, no half characters, no more than there is room for', () => {
  expect(plain('\u001b[1mred\u001b[22m\tand\r\nblue\u0007')).toBe('red\tand\r\nblue');
  expect(plain('half \ud800')).toBe('half \ufffd');
  expect(plain('abcdef', 4)).toBe('abc…');
  expect(plain('ab😀def', 4)).toBe('ab…');
});
