import type { ClaimRef, Heartbeat, HeartbeatAnswer, SessionReady } from '@switchyard/shared/agent';
import type { CommandName } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import type { Claim } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import type { Connection } from './connection.ts';

/** How far a claim is, as heartbeats carry it. */
export type Progress = Pick<Heartbeat['claims'][number], 'progress' | 'note'>;

/** Commands after which a claim is over. */
const ending: ReadonlySet<CommandName> = new Set(['item.complete', 'item.fail', 'item.release']);
/** Progress goes at once, and then at most this often. */
const reportGapMs = 1_000;
const beatAnswerMsMin = 2_000;
/** Of the lease, how much is left when an agent that nobody answers takes its claims for lost. */
const marginShare = 0.1;
const marginMsMax = 5_000;
/** Why a claim is lost of which no hub has said so. */
export const unreachable = 'unreachable';

/**
 * What an agent's session knows: its claims, the heartbeat that keeps them, and, by a clock that nobody sets, when they
 * may have lapsed because no hub answers.
 */
export class AgentSession {
  /** What the hub said when the session last became ready. */
  ready: SessionReady | null = null;
  readonly #connection: Connection;
  readonly #claims = new Map<string, number>();
  /** Items whose claim is being ended just now: hearing that it is over is no loss. */
  readonly #ending = new Set<string>();
  /** Claims that the hub told of and no answer did: of an earlier run of this session, or of an answer that got lost. */
  readonly #orphans = new Map<string, Claim>();
  readonly #reports = new Map<string, Progress & { told: boolean }>();
  readonly #onLost = new Set<(lost: ClaimRef) => void>();
  #beat: NodeJS.Timeout | undefined;
  #reportTimer: NodeJS.Timeout | undefined;
  #reportedAtMs = -Infinity;
  #lapse: NodeJS.Timeout | undefined;
  #beating = false;
  /** When the last sign of life was sent that the hub has acknowledged. */
  #aliveAtMs = -Infinity;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.on('session.ready', (ready) => this.#resume(ready));
    connection.on('claim.lost', (lost) => this.#lose(lost));
    connection.on('claim.cancelled', (cancelled) => this.#drop(cancelled));
    void connection.ended.then(() => this.#stop());
  }

  /** The claims this session holds, as far as it knows: item id → attempt. */
  get claims(): ReadonlyMap<string, number> {
    return this.#claims;
  }

  /** Hears of claims that are lost: the hub said so, or nobody has answered for as long as a lease lasts. */
  onLost(handler: (lost: ClaimRef) => void): () => void {
    this.#onLost.add(handler);
    return () => this.#onLost.delete(handler);
  }

  /** Those that are nobody's yet; they are the caller's now. */
  takeOrphans(): Claim[] {
    const orphans = [...this.#orphans.values()];
    this.#orphans.clear();
    return orphans;
  }

  /** Watches a command that may end a claim, or make one, so that heartbeats name what is held. */
  async follow<T extends object>(command: CommandName, input: object, answer: () => Promise<T>): Promise<T> {
    const id = 'id' in input ? (input.id as string) : null;
    const ends = ending.has(command) ? id : null;
    const sentAtMs = performance.now();
    if (ends !== null) this.#ending.add(ends);
    try {
      const result = await answer();
      if (ends !== null) this.#forget(ends);
      this.#noteClaim(result, sentAtMs);
      return result;
    } catch (error) {
      if (error instanceof Refusal && error.code === 'CLAIM_LOST' && id !== null) this.#forget(id);
      throw error;
    } finally {
      if (ends !== null) this.#ending.delete(ends);
    }
  }

  /** Says that this session, and its claims, are alive; carries the progress that was not told yet. */
  async heartbeat(): Promise<HeartbeatAnswer> {
    const sent = new Map(this.#reports);
    const claims = [...this.#claims].slice(0, limits.heartbeatClaims).map(([item_id, attempt]) => {
      const { told, ...progress } = sent.get(item_id) ?? { told: true };
      return { item_id, attempt, ...(told ? {} : progress) };
    });
    const sentAtMs = performance.now();
    const timeoutMs = Math.max(beatAnswerMsMin, (this.ready?.heartbeat_seconds ?? 0) * 1_000);
    const answer = await this.#connection.send<HeartbeatAnswer>('agent.heartbeat', { claims }, timeoutMs);
    this.#alive(sentAtMs);
    for (const report of sent.values()) report.told = true;
    const cancelled = new Set(answer.cancelled.map(({ item_id, attempt }) => `${item_id} ${attempt}`));
    for (const lost of answer.lost) {
      // Of a cancel the hub tells by itself, until it is acknowledged.
      if (!cancelled.has(`${lost.item_id} ${lost.attempt}`)) this.#lose(lost);
    }
    return answer;
  }

  /** Takes down how far a claim is; told with the next heartbeat, which comes soon. */
  report(itemId: string, progress: Progress): void {
    if (!this.#claims.has(itemId)) return;
    this.#reports.set(itemId, { ...this.#reports.get(itemId), ...progress, told: false });
    this.#reportSoon();
  }

  #reportSoon(): void {
    this.#reportTimer ??= setTimeout(
      () => {
        this.#reportTimer = undefined;
        this.#reportedAtMs = performance.now();
        this.#beatNow();
      },
      Math.max(0, this.#reportedAtMs + reportGapMs - performance.now()),
    );
  }

  /** A beat that fails needs no handling: the next comes soon, and coming back is a sign of life too. */
  #beatNow(): void {
    if (this.#beating) return;
    this.#beating = true;
    this.heartbeat()
      .catch(() => {})
      .finally(() => {
        this.#beating = false;
        if ([...this.#reports.values()].some(({ told }) => !told)) this.#reportSoon();
      });
  }

  #resume(ready: SessionReady): void {
    this.ready = ready;
    this.#alive(this.#connection.dialledAtMs);
    for (const claim of ready.claims) {
      const { item, attempt } = claim;
      if (this.#claims.get(item.id) !== attempt) this.#orphans.set(item.id, claim);
      this.#claims.set(item.id, attempt);
    }
    for (const report of this.#reports.values()) report.told = false;
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#beatNow(), ready.heartbeat_seconds * 1_000);
    // Its answer says why those that are not held any more are lost: cancelled ones are told of apart.
    if (this.#claims.size > 0) this.#beatNow();
  }

  /** Claims are watched as they pass. */
  #noteClaim(result: object, sentAtMs: number): void {
    const { claim } = (('next' in result && result.next) || result) as { claim?: Claim | null };
    if (!claim) return;
    this.#claims.set(claim.item.id, claim.attempt);
    this.#reports.delete(claim.item.id);
    if (this.#orphans.get(claim.item.id)?.attempt === claim.attempt) this.#orphans.delete(claim.item.id);
    this.#alive(sentAtMs);
  }

  #alive(atMs: number): void {
    if (!this.ready || atMs <= this.#aliveAtMs) return;
    this.#aliveAtMs = atMs;
    const leaseMs = this.ready.lease_seconds * 1_000;
    const untilMs = atMs + leaseMs - Math.min(leaseMs * marginShare, marginMsMax);
    clearTimeout(this.#lapse);
    this.#lapse = setTimeout(() => this.#lapsed(), Math.max(0, untilMs - performance.now()));
  }

  /** They are named in heartbeats all the same: the hub may have kept them, and says so if not. */
  #lapsed(): void {
    for (const [item_id, attempt] of this.#claims) this.#tell({ item_id, attempt, reason: unreachable });
  }

  #lose(lost: ClaimRef): void {
    if (this.#claims.get(lost.item_id) !== lost.attempt || this.#ending.has(lost.item_id)) return;
    this.#forget(lost.item_id);
    this.#tell(lost);
  }

  #tell(lost: ClaimRef): void {
    for (const handler of this.#onLost) handler(lost);
  }

  #drop({ item_id, attempt }: ClaimRef): void {
    if (this.#claims.get(item_id) === attempt) this.#forget(item_id);
  }

  #forget(itemId: string): void {
    this.#claims.delete(itemId);
    this.#reports.delete(itemId);
    this.#orphans.delete(itemId);
  }

  #stop(): void {
    this.#reports.clear();
    clearInterval(this.#beat);
    clearTimeout(this.#reportTimer);
    clearTimeout(this.#lapse);
  }
}
