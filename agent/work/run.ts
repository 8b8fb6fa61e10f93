import { Refusal } from '@switchyard/shared/errors';
import type { Claim, Conflict, Item } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import { ConflictBook } from './conflict-book.ts';
import { Split, Stopped, type Handler, type SubItem, type WorkContext } from './context.ts';
import type { WorkHub } from './hub.ts';
import { outcomeOf, plain, settle, type Outcome } from './outcome.ts';

/** An outage is waited out: the handler's signal says when there is no point any more. */
export const untilAnswered = { timeoutMs: Infinity };

/** One claimed item in the hands of a handler. */
export class Run {
  readonly item: Item;
  readonly attempt: number;
  /** The hub has ended the claim: nothing that is sent for it counts any more. */
  over: 'cancelled' | 'lost' | null = null;
  /** What came of it, once its handler has returned. */
  outcome: Outcome | null = null;
  /** What its handler threw. */
  threw: unknown;
  /** The worker has closed without waiting for it. */
  abandoned = false;
  isSettled = false;
  readonly #hub: WorkHub;
  readonly #abort = new AbortController();
  readonly #conflicts: ConflictBook;
  readonly #acks: (() => void)[] = [];
  readonly #onFault: (message: string, error: unknown) => void;

  constructor(
    hub: WorkHub,
    { item, attempt }: Claim,
    conflicts: readonly Conflict[],
    onFault: (message: string, error: unknown) => void,
  ) {
    this.#hub = hub;
    this.#onFault = onFault;
    this.item = item;
    this.attempt = attempt;
    this.#conflicts = new ConflictBook(conflicts);
  }

  /** Why its handler is to stop, if it is. */
  get stopped(): Stopped | null {
    return this.#abort.signal.aborted ? (this.#abort.signal.reason as Stopped) : null;
  }

  /** A handler that is closing down may still speak. */
  get #isPointless(): boolean {
    return this.stopped !== null && this.stopped.why !== 'shutdown';
  }

  /** Has the handler do it, and takes down what came of it; never rejects. One that is to stop does not begin. */
  async execute(handler: Handler): Promise<void> {
    const settled = this.stopped ? { threw: this.stopped } : await settle(() => handler(this.#context()));
    if ('threw' in settled && settled.threw !== this.stopped) this.threw = settled.threw;
    this.outcome = outcomeOf(settled, this.stopped);
    this.isSettled = true;
  }

  /** It was cancelled; `acknowledge` is called once the handler has stopped. Told again after a reconnect. */
  cancel(reason: string, acknowledge: () => void): void {
    this.#acks.push(acknowledge);
    this.#endedBy('cancelled', reason);
  }

  acknowledge(): void {
    for (const acknowledge of this.#acks.splice(0)) acknowledge();
  }

  /** The hub says that the claim is somebody else's by now, or nobody's. */
  lose(reason: string): void {
    this.#endedBy('lost', reason);
  }

  /** Nobody answers, and the lease may be over. */
  mayBeLost(): void {
    this.#stop('lost', `No hub has answered for as long as the lease of #${this.item.number} lasts.`);
  }

  shutDown(): void {
    this.#stop('shutdown', 'The worker is closing.');
  }

  hearConflicts(type: 'detected' | 'resolved', conflicts: readonly Conflict[]): void {
    this.#conflicts.hear(type, conflicts);
  }

  /** What began or ended while there was no connection was not heard. */
  async refreshConflicts(): Promise<void> {
    await this.#report([]).catch(() => {}); // then it is lost, or the hub away: both are told otherwise
  }

  #context(): WorkContext {
    const conflicts = this.#conflicts;
    return {
      item: this.item,
      attempt: this.attempt,
      get conflicts() {
        return conflicts.all;
      },
      signal: this.#abort.signal,
      progress: (percent, note) => this.#progress(percent, note),
      reportFiles: (paths) => this.#report(paths),
      onConflict: (heard) => conflicts.listen((all) => this.#tellConflicts(heard, all)),
      split: (children, reason) => this.#split(children, reason),
    };
  }

  /** Called in the midst of other things, what a listener throws is no outcome of the handler. */
  #tellConflicts(heard: (conflicts: readonly Conflict[]) => void, all: readonly Conflict[]): void {
    try {
      heard(all);
    } catch (error) {
      this.#onFault(`What heard the conflicts of #${this.item.number} threw.`, error);
    }
  }

  #progress(percent: number | null, note?: string): void {
    if (percent !== null && !Number.isFinite(percent))
      throw new RangeError(`Progress is no number: ${percent}`);
    const progress = percent === null ? null : Math.min(100, Math.max(0, percent));
    const said = note === undefined ? {} : { note: plain(note, limits.noteLength) };
    this.#hub.report(this.item.id, { progress, ...said });
  }

  #report(paths: readonly string[]): Promise<readonly Conflict[]> {
    const { item, attempt } = this;
    return this.#conflicts.ask(() =>
      this.#whileHeld(() =>
        this.#hub.call('item.report_files', { id: item.id, attempt, files: [...paths] }, untilAnswered),
      ),
    );
  }

  async #split(children: readonly SubItem[], reason?: string): Promise<Split> {
    const items = children.map((child) => ({ ...child, parent_item_id: this.item.id }));
    const made = await this.#whileHeld(() =>
      this.#hub.call('item.create', { project: this.#hub.project, items }, untilAnswered),
    );
    const created = 'items' in made ? made.items : [made.item];
    const numbers = created.map(({ number }) => `#${number}`).join(', ');
    return new Split(created, reason ?? `Split into ${numbers}.`);
  }

  /** Waits for an answer as long as there is a point in it. */
  async #whileHeld<T>(send: () => Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    const pointless = Promise.withResolvers<never>();
    const stop = () => this.#isPointless && pointless.reject(this.stopped!);
    signal.addEventListener('abort', stop);
    try {
      if (this.#isPointless) throw this.stopped!;
      return await Promise.race([send(), pointless.promise]);
    } catch (error) {
      if (error instanceof Refusal) this.hearRefusal(error);
      throw this.over ? (this.stopped ?? error) : error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** A refusal may be the first to tell that the claim is over. */
  hearRefusal({ code, message, details }: Refusal): void {
    if (code === 'CLAIM_LOST') this.#endedBy(details.reason === 'cancelled' ? 'cancelled' : 'lost', message);
  }

  #endedBy(over: 'cancelled' | 'lost', reason: string): void {
    this.over ??= over;
    const what = over === 'cancelled' ? 'was cancelled' : 'is not held any more';
    this.#stop(over, `#${this.item.number} ${what}: ${reason}`);
  }

  #stop(why: Stopped['why'], message: string): void {
    if (!this.#abort.signal.aborted) this.#abort.abort(new Stopped(why, message));
  }
}
