/** Why a list must not move: the pointer is over it, the keyboard works in it, something in it is selected. */
export type HoldReason = 'pointer' | 'focus' | 'selection';

/** A pointer or a focus that was left lying does not hold for ever; a selection does. */
const lapseAfterMs: Record<HoldReason, number> = { pointer: 8_000, focus: 15_000, selection: Infinity };

/** Keeps a list still while somebody is at it. `onEnd` is called when the last reason has gone. */
export class Hold {
  readonly #reasons = new Map<HoldReason, ReturnType<typeof setTimeout> | undefined>();
  readonly #onEnd: () => void;

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  get active(): boolean {
    return this.#reasons.size > 0;
  }

  /** Holds from now on; taken again, its time begins anew. */
  take(reason: HoldReason): void {
    clearTimeout(this.#reasons.get(reason));
    const ms = lapseAfterMs[reason];
    this.#reasons.set(reason, ms === Infinity ? undefined : setTimeout(() => this.release(reason), ms));
  }

  release(reason: HoldReason): void {
    if (!this.#reasons.has(reason)) return;
    clearTimeout(this.#reasons.get(reason));
    this.#reasons.delete(reason);
    if (!this.active) this.#onEnd();
  }

  /** Ends all without a word. */
  drop(): void {
    for (const timer of this.#reasons.values()) clearTimeout(timer);
    this.#reasons.clear();
  }
}
