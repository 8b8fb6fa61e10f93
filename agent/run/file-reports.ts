import { posix } from 'node:path';
import { limits } from '@switchyard/shared/limits';
import { isGlob, normalizePath, pathFault } from '@switchyard/shared/paths';
import type { WorkContext } from '../work/context.ts';

/** Of the longest paths, so many fit into one message to the hub. */
const batchMax = 500;
/** From here on folders are named in place of files, so that no item meets the bound of the wire. */
const filesMax = limits.filesModified / 2;
const foldersMax = limits.filesModified * 0.9;

/** Tells the hub which files a command touches, while it does. */
export class FileReports {
  readonly #context: WorkContext;
  readonly #known = new Set<string>();
  readonly #unsent = new Set<string>();
  #sending: Promise<void> = Promise.resolve();

  constructor(context: WorkContext) {
    this.#context = context;
    for (const path of context.item.files_modified) this.#known.add(path);
  }

  /** Files touched so far, those that the hub cannot take left out. */
  get count(): number {
    return this.#known.size;
  }

  /** Reports what is new. What cannot be delivered goes along with the next report, or with the completion. */
  add(paths: readonly string[]): void {
    for (const path of paths) this.#note(path);
    if (this.#unsent.size > 0) this.#sending = this.#sending.then(() => this.#send());
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  /** What the hub has not heard of; to go along with the completion. */
  get unsent(): string[] {
    return [...this.#unsent];
  }

  #note(path: string): void {
    const clean = normalizePath(path);
    // Names that the wire has no room for: with a line break, a backslash, or an asterisk.
    if (pathFault(clean) !== null || isGlob(clean)) return;
    const named = this.#known.size < filesMax ? clean : `${posix.dirname(clean)}/`;
    if (named === './' || this.#known.has(named) || this.#known.size >= foldersMax) return;
    this.#known.add(named);
    this.#unsent.add(named);
  }

  async #send(): Promise<void> {
    while (this.#unsent.size > 0 && !this.#context.signal.aborted) {
      const batch = [...this.#unsent].slice(0, batchMax);
      try {
        await this.#context.reportFiles(batch);
      } catch {
        return; // The hub is away, or the claim is: the first is heard of elsewhere, as is the second.
      }
      for (const path of batch) this.#unsent.delete(path);
    }
  }
}
