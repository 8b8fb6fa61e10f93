/**
 * How long to wait before try `tries` (from 0), in milliseconds: full jitter, anything from 0 to `baseMs` doubled with
 * every try, at most `capMs`. Spread round a mean instead, a thousand clients that lost one hub at one instant would
 * still come back in waves.
 *
 *     await sleep(backoffMs(tries, { baseMs: 200, capMs: 5_000 }));
 */
export function backoffMs(tries: number, { baseMs, capMs }: { baseMs: number; capMs: number }): number {
  return Math.random() * Math.min(capMs, baseMs * 2 ** Math.min(tries, 30));
}
