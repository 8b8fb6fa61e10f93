// One agent of a drill, a process of its own: hears offers, claims, works for a moment, reports, finishes.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandOutput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import type { Claim, Item } from '@switchyard/shared/item';
import { connect, type HubClient } from '../client.ts';
import type { Order, Outcome, Report, Start } from './messages.ts';
import { chance } from './random.ts';

/** Without an offer an idle agent asks by itself now and then: an offer is no promise. */
const idleMs = 500;
/** Files that several items touch, so that conflicts occur. */
const sharedFiles = 5;
/** The part of an agent's cycles in which it tries to claim any item at all. */
const trespassRate = 0.2;
const zombieTries = 3;
/** Long enough to live through a restart of the hub. */
const timeoutMs = 60_000;

class DrillAgent {
  readonly #start: Start;
  readonly #offers: Item[] = [];
  #client!: HubClient;
  #wake = () => {};
  readonly #told = Promise.withResolvers<void>();
  #stopping = false;
  #cycle = 0;
  /** The claim it gave up last, and that somebody else may hold by now; how often it still tries to finish it. */
  #past: { id: string; attempt: number; tries: number } | null = null;

  constructor(start: Start) {
    this.#start = start;
  }

  go(): void {
    this.#told.resolve();
  }

  stop(): void {
    this.#stopping = true;
    this.#told.resolve();
    this.#wake();
  }

  async run(): Promise<void> {
    const { url, token, project, agentId } = this.#start;
    const onOffer = ({ item }: { item: Item }) => {
      say({ kind: 'offered' });
      this.#offers.push(item);
      this.#wake();
    };
    const onConflict = () => say({ kind: 'conflict' });
    this.#client = await connect({
      url,
      token,
      project,
      agentId,
      connectTimeoutMs: timeoutMs,
      on: { 'item.available': onOffer, 'conflict.detected': onConflict },
    });
    say({ kind: 'ready', leaseSeconds: this.#client.ready!.lease_seconds });
    await this.#told.promise;
    let claim: Claim | null = null;
    while (!this.#stopping) {
      this.#cycle += 1;
      await this.#returnAsZombie();
      claim ??= (await this.#trespass()) ?? (await this.#claim());
      if (claim) claim = await this.#work(claim);
      else await this.#idle();
    }
    await this.#client.close();
  }

  /** Takes an offered item when there is one, and otherwise the next; null when there is nothing to do. */
  async #claim(): Promise<Claim | null> {
    const request_id = randomUUID();
    const sent = performance.now();
    const offer = this.#offers.pop();
    this.#offers.length = 0; // older offers are most likely gone
    const answer = await refusable(() =>
      offer
        ? this.#client.call('item.claim', { id: offer.id, request_id }, { timeoutMs })
        : this.#client.call('item.claim_next', { project: this.#start.project, request_id }, { timeoutMs }),
    );
    return claimed(answer?.claim, sent);
  }

  /** Now and then tries any item at all, ready or not: the hub knows better. */
  async #trespass(): Promise<Claim | null> {
    const { itemIds } = this.#start;
    const id = itemIds[Math.floor(this.#luck('where') * itemIds.length)];
    if (id === undefined || this.#luck('trespass') >= trespassRate) return null;
    const sent = performance.now();
    const answer = await refusable(() =>
      this.#client.call('item.claim', { id, request_id: randomUUID() }, { timeoutMs }),
    );
    return claimed(answer?.claim, sent);
  }

  /** Tries to finish a claim that it has given up: that attempt is over, whoever holds the item by now. */
  async #returnAsZombie(): Promise<void> {
    if (this.#past === null || this.#past.tries === 0) return;
    this.#past.tries -= 1;
    const { id, attempt } = this.#past;
    const finished = await refusable(() =>
      this.#client.call(
        'item.complete',
        { id, attempt, result_summary: 'by a zombie', request_id: randomUUID() },
        { timeoutMs },
      ),
    );
    if (finished) say({ kind: 'fault', message: `attempt ${attempt} of ${id} was finished after its end` });
  }

  #luck(what: string): number {
    return chance(this.#start.seed, this.#start.agentId, this.#cycle, what);
  }

  /** Works on a claim until it has ended; answers the next one, where the hub gave one along. */
  async #work(claim: Claim): Promise<Claim | null> {
    const { item, attempt } = claim;
    const { seed, workMsMax, failRate } = this.#start;
    const luck = (what: string) => chance(seed, item.number, attempt, what);
    const held = { id: item.id, attempt };
    const files = [`src/item-${item.number}.ts`];
    if (luck('shared') < 0.4) files.push(`src/shared-${Math.floor(luck('which') * sharedFiles)}.ts`);

    await sleep(luck('start') * workMsMax * 0.5);
    const reported = await refusable(() =>
      this.#client.call('item.report_files', { ...held, files, request_id: randomUUID() }, { timeoutMs }),
    );
    if (!reported) return null;
    const progress = {
      progress: Math.round(luck('progress') * 100),
      note: 'half way',
      request_id: randomUUID(),
    };
    await refusable(() => this.#client.call('item.heartbeat', { ...held, ...progress }, { timeoutMs }));
    await sleep(luck('end') * workMsMax * 0.5);

    const fails = item.failure_count < 2 && luck('fail') < failRate;
    const releases = !fails && attempt === 1 && luck('release') < 0.05;
    return this.#finish(claim, fails ? 'failed' : releases ? 'released' : 'completed', luck('chain') < 0.5);
  }

  async #finish(
    { item, attempt, session_id }: Claim,
    outcome: Outcome,
    claim_next: boolean,
  ): Promise<Claim | null> {
    const held = { id: item.id, attempt, request_id: randomUUID() };
    const sent = performance.now();
    const answer = await refusable((): Promise<CommandOutput<'item.complete'>> => {
      if (outcome === 'released')
        return this.#client.call('item.release', { ...held, reason: 'drill' }, { timeoutMs });
      if (outcome === 'failed') {
        return this.#client.call(
          'item.fail',
          { ...held, failure_reason: 'the drill wants it so', claim_next },
          { timeoutMs },
        );
      }
      const files_modified = [`src/item-${item.number}.ts`, `test/item-${item.number}.ts`];
      const result_summary = `done in attempt ${attempt}`;
      return this.#client.call(
        'item.complete',
        { ...held, result_summary, files_modified, claim_next },
        { timeoutMs },
      );
    });
    if (!answer) return null;
    if (outcome !== 'completed') this.#past = { id: item.id, attempt, tries: zombieTries };
    say({ kind: 'ended', outcome, item_id: item.id, attempt, session_id });
    return claimed(answer.next?.claim, sent);
  }

  async #idle(): Promise<void> {
    if (this.#offers.length > 0 || this.#stopping) return;
    await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(idleMs)]);
  }
}

function claimed(claim: Claim | null | undefined, sent: number): Claim | null {
  if (!claim) return null;
  const { attempt, session_id, item } = claim;
  say({ kind: 'claimed', item_id: item.id, attempt, session_id, latencyMs: performance.now() - sent });
  return claim;
}

/** Losing a race, or a claim, is part of an agent's day: it is reported, and the answer is null. */
async function refusable<T>(attempt: () => Promise<T>): Promise<T | null> {
  try {
    return await attempt();
  } catch (error) {
    const expected = ['ALREADY_CLAIMED', 'NOT_READY', 'INVALID_TRANSITION', 'CLAIM_LOST', 'FILE_CONFLICT'];
    if (!(error instanceof Refusal) || !expected.includes(error.code)) throw error;
    say({ kind: 'refused', code: error.code });
    return null;
  }
}

function say(report: Report): void {
  // The drill may be gone already; then there is nobody to tell.
  if (process.connected) process.send?.(report);
}

let agent: DrillAgent | undefined;
process.on('message', (order: Order) => {
  if (order.kind !== 'start') return order.kind === 'go' ? agent?.go() : agent?.stop();
  agent = new DrillAgent(order.start);
  agent.run().then(
    () => process.disconnect(),
    (error: Error) => {
      say({ kind: 'fault', message: error.message });
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
// Ctrl-C reaches the whole group; the drill says when to go, and being left alone means to go too.
process.on('SIGINT', () => {});
process.once('disconnect', () => process.exit());
