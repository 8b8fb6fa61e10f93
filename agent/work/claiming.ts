import type { ClaimRef } from '@switchyard/shared/agent';
import type { Claim, Conflict } from '@switchyard/shared/item';
import type { NextAnswer } from './deliver.ts';
import type { WorkHub } from './hub.ts';

export const keyOf = (itemId: string, attempt: number): string => `${itemId} ${attempt}`;

/** Claims that are asked for, and what may overtake their answers. */
export class Claiming {
  readonly #hub: WorkHub;
  readonly #take: (claim: Claim, conflicts: readonly Conflict[]) => void;
  #underWay = 0;
  /** Cancels of claims whose answer has not come yet: they must not be confirmed before it is known that none begins. */
  readonly #cancelled = new Map<string, () => void>();
  /** Claims that the hub told of after a reconnect, before the answer that made them. */
  readonly #taken = new Set<string>();

  constructor(hub: WorkHub, take: (claim: Claim, conflicts: readonly Conflict[]) => void) {
    this.#hub = hub;
    this.#take = take;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Asks, and hands on the claim that the answer brings; false when it brings none. */
  async ask(send: () => Promise<NextAnswer | null>): Promise<boolean> {
    const connections = this.#hub.connections();
    this.#underWay += 1;
    try {
      const next = await send();
      if (!next?.claim) return false;
      const { item, attempt } = next.claim;
      // After a reconnect it may be the answer of then, to a claim that has lapsed since.
      const stands = connections === this.#hub.connections() || (await this.#hub.holds(item.id, attempt));
      if (stands) this.#handOn(next.claim, next.conflicts);
      return true;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#settle();
    }
  }

  /** Takes a claim that the hub told of by itself. */
  adopt(claim: Claim): void {
    if (this.#underWay > 0) this.#taken.add(keyOf(claim.item.id, claim.attempt));
    this.#take(claim, []);
  }

  /** A cancel of what nobody works on: of what is over, or of what is just being claimed. */
  cancel({ item_id, attempt }: ClaimRef, acknowledge: () => void): void {
    if (this.#underWay > 0) this.#cancelled.set(keyOf(item_id, attempt), acknowledge);
    else acknowledge();
  }

  #handOn(claim: Claim, conflicts: readonly Conflict[]): void {
    const key = keyOf(claim.item.id, claim.attempt);
    if (this.#cancelled.has(key) || this.#taken.has(key)) return;
    this.#take(claim, conflicts);
  }

  #settle(): void {
    for (const acknowledge of this.#cancelled.values()) acknowledge();
    this.#cancelled.clear();
    this.#taken.clear();
  }
}
