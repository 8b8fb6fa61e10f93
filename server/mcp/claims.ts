import type { Item } from '@switchyard/shared/item';

export interface KnownClaim {
  item_id: string;
  project_id: string;
  number: number;
  attempt: number;
  /** Whether it stands, as far as is known here. */
  held: boolean;
}

const knownMax = 1_000;

/**
 * The attempts that one MCP session speaks for, so that its model need not. What is over stays known: a late word about
 * it carries the attempt it was meant for, and is refused, never applied to a newer claim of the same agent.
 */
export class Claims {
  readonly #known = new Map<string, KnownClaim>();

  note({ id, project_id, number }: Item, attempt: number): KnownClaim {
    const claim = { item_id: id, project_id, number, attempt, held: true };
    this.#known.delete(id);
    this.#known.set(id, claim);
    for (const [oldest, { held }] of this.#known) {
      if (this.#known.size <= knownMax) break;
      if (!held) this.#known.delete(oldest);
    }
    return claim;
  }

  attemptOf(itemId: string): number | undefined {
    return this.#known.get(itemId)?.attempt;
  }

  /** The claim, while it stands. */
  standing(itemId: string | null, attempt: number | null): KnownClaim | undefined {
    const claim = itemId === null ? undefined : this.#known.get(itemId);
    return claim?.held && claim.attempt === attempt ? claim : undefined;
  }

  /** It is over; answers with what it was, once. */
  end(itemId: string | null, attempt: number | null): KnownClaim | undefined {
    const claim = this.standing(itemId, attempt);
    if (claim) claim.held = false;
    return claim;
  }

  get held(): KnownClaim[] {
    return [...this.#known.values()].filter((claim) => claim.held);
  }
}
