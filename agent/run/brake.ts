/** A command that fails sooner has hardly looked at its item. */
const quickMs = 10_000;
const inARow = 5;
const pauseMsMin = 30_000;
const pauseMsMax = 600_000;

/**
 * Keeps a command that cannot work just now (the disk is full, a key has expired, a service is down) from failing a
 * whole backlog in a minute: after five quick failures in a row nothing is taken for half a minute, doubled up to
 * ten minutes with each quick failure that follows. A success, or a failure that took its time, ends it.
 */
export class Brake {
  #failures = 0;
  #pauseMs = pauseMsMin;

  /** Takes down how a command ended; answers how long to take nothing, in milliseconds, or null. */
  ended({ isWell, tookMs }: { isWell: boolean; tookMs: number }): number | null {
    if (isWell || tookMs >= quickMs) {
      this.#failures = 0;
      this.#pauseMs = pauseMsMin;
      return null;
    }
    this.#failures += 1;
    return this.#failures >= inARow ? this.pull() : null;
  }

  /** To be pulled when it is known already that nothing will work just now. */
  pull(): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, pauseMsMax);
    this.#failures = inARow - 1; // one more shows whether it is still so
    return pauseMs;
  }
}
