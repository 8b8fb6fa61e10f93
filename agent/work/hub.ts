import type { Refusal } from '@switchyard/shared/errors';
import type { Claim } from '@switchyard/shared/item';
import type { HubToClient } from '@switchyard/shared/protocol';
import type { Call } from '../call.ts';

/** What work needs of a client. */
export interface WorkHub {
  readonly project: string;
  readonly call: Call;
  on<E extends keyof HubToClient>(event: E, handler: HubToClient[E]): () => void;
  /** Resolves when no hub will be tried again, with the reason. */
  readonly ended: Promise<Refusal>;
  /** How often a hub has let this client in. */
  connections(): number;
  /** Tells the hub what this session takes. */
  serve(): Promise<void>;
  /** Claims of this session that the hub told of and nobody works on. */
  takeOrphans(): Claim[];
  /** Takes down how far a claim is, for the next heartbeat. */
  report(itemId: string, progress: { progress?: number | null; note?: string | null }): void;
  /** Asks the hub whether a claim stands. */
  holds(itemId: string, attempt: number): Promise<boolean>;
}
