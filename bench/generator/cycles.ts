// The load: every connection claims and completes, one after the other, until `limit` items are claimed in all.
// Callbacks and no promises: the generator shares the machine with the hub, and what it costs is missing there.
import type { CommandOutput } from '@switchyard/shared/commands';
import type { Answer } from '@switchyard/shared/protocol';
import { percentile } from '../statistics.ts';
import type { Connection } from './connections.ts';

type ClaimAnswer = Answer<CommandOutput<'item.claim_next'>>;
type CompleteAnswer = Answer<CommandOutput<'item.complete'>>;
type Claim = NonNullable<CommandOutput<'item.claim_next'>['claim']>;

export interface CyclesWish {
  project: string;
  /** 2: completes with `claim_next`. */
  form: 1 | 2;
  limit: number;
  /** No new cycle begins after this. */
  msMax: number;
}

/** One answer of each kind as it came, for the echo server to answer the same. */
export interface Samples {
  claim?: unknown;
  complete?: unknown;
  completeAndClaim?: unknown;
}

export interface CyclesResult {
  cycles: number;
  seconds: number;
  /** From the question to the answer, in form 1 to item.claim_next, in form 2 to item.complete. */
  answerMs: { p50: number; p99: number };
  /** How often the hub asked a connection to wait. */
  limited: number;
  samples: Samples;
}

const stuckMs = 20_000;

export function runCycles(sockets: Connection[], wish: CyclesWish): Promise<CyclesResult> {
  return new Promise((resolve, reject) => new Run(sockets, wish, resolve, reject).start());
}

class Run {
  readonly #sockets: Connection[];
  readonly #wish: CyclesWish;
  readonly #resolve: (result: CyclesResult) => void;
  readonly #reject: (error: Error) => void;
  readonly #answerMs: number[] = [];
  readonly #samples: Samples = {};
  readonly #onLoss = (reason: string) => this.#fail(`a connection was lost: ${reason}`);
  #watchdog: NodeJS.Timeout | undefined;
  #cycles = 0;
  #limited = 0;
  #begun = 0;
  #ended = 0;
  #claimed = 0;
  #busy = 0;
  #over = false;

  constructor(
    sockets: Connection[],
    wish: CyclesWish,
    resolve: (result: CyclesResult) => void,
    reject: (error: Error) => void,
  ) {
    this.#sockets = sockets;
    this.#wish = wish;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#watchdog = setTimeout(() => this.#fail('answers stay away'), this.#wish.msMax + stuckMs);
    this.#begun = this.#ended = performance.now();
    this.#busy = this.#sockets.length;
    for (const socket of this.#sockets) {
      socket.once('disconnect', this.#onLoss);
      this.#claim(socket);
    }
  }

  /** Whether one more may be claimed; if so, it is taken as claimed. */
  #more(): boolean {
    if (this.#over || this.#claimed >= this.#wish.limit) return false;
    if (performance.now() - this.#begun > this.#wish.msMax) return false;
    this.#claimed++;
    return true;
  }

  #claim(socket: Connection): void {
    if (this.#more()) this.#sendClaim(socket);
    else this.#rest();
  }

  #sendClaim(socket: Connection): void {
    const sent = performance.now();
    socket.emit('item.claim_next', { project: this.#wish.project }, (answer: ClaimAnswer) => {
      if (!answer.ok) return this.#refused(answer.error, () => this.#sendClaim(socket));
      if (this.#wish.form === 1) this.#answerMs.push(performance.now() - sent);
      this.#samples.claim ??= answer;
      const { claim } = answer.result;
      if (claim) this.#complete(socket, claim);
      else this.#fail('nothing was ready to be claimed, though enough was created');
    });
  }

  #complete(socket: Connection, claim: Claim): void {
    this.#sendComplete(socket, claim, this.#wish.form === 2 && this.#more());
  }

  #sendComplete(socket: Connection, { item, attempt }: Claim, andClaim: boolean): void {
    const sent = performance.now();
    const done = {
      id: item.id,
      attempt,
      result_summary: 'Done, and the tests pass.',
      files_modified: ['src/index.ts'],
    };
    const input = andClaim ? { ...done, claim_next: true } : done;
    socket.emit('item.complete', input, (answer: CompleteAnswer) => {
      if (!answer.ok)
        return this.#refused(answer.error, () =>
          this.#sendComplete(socket, { item, attempt } as Claim, andClaim),
        );
      this.#ended = performance.now();
      this.#cycles++;
      this.#samples[andClaim ? 'completeAndClaim' : 'complete'] ??= answer;
      if (!andClaim) return this.#claim(socket);
      this.#answerMs.push(this.#ended - sent);
      const next = answer.result.next?.claim;
      if (next) this.#complete(socket, next);
      else this.#fail('item.complete with claim_next brought no next item, though enough was created');
    });
  }

  #refused(error: { code: string; message: string; details?: unknown }, again: () => void): void {
    if (error.code !== 'RATE_LIMITED') return this.#fail(`${error.code}: ${error.message}`);
    this.#limited++;
    setTimeout(again, 10);
  }

  #rest(): void {
    if (--this.#busy > 0 || this.#over) return;
    this.#finish();
    const answerMs = { p50: percentile(this.#answerMs, 0.5), p99: percentile(this.#answerMs, 0.99) };
    const seconds = (this.#ended - this.#begun) / 1_000;
    const [cycles, limited, samples] = [this.#cycles, this.#limited, this.#samples];
    this.#resolve({ cycles, seconds, answerMs, limited, samples });
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.#finish();
    this.#reject(new Error(why));
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#watchdog);
    for (const socket of this.#sockets) socket.off('disconnect', this.#onLoss);
  }
}
