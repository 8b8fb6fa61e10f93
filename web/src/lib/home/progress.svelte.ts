import type { Progress } from '@switchyard/shared/agent';
import type { Project } from '@switchyard/shared/project';
import { readProgress } from '#lib/api.ts';

/** How far projects are, by their id. Read again only of those whose log has gone on. */
export class ProjectsProgress {
  byId = $state.raw<ReadonlyMap<string, Progress>>(new Map());
  readonly #seqs = new Map<string, number>();
  #reading = false;

  async read(projects: readonly Project[]): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    // One after the other: the hub has more to do than this.
    for (const { id, last_seq } of projects) {
      if (this.#seqs.get(id) === last_seq) continue;
      try {
        const progress = await readProgress(id);
        this.#seqs.set(id, last_seq);
        this.byId = new Map(this.byId).set(id, progress);
      } catch {
        // The page says already that the hub is away; what is known stays.
        break;
      }
    }
    this.#reading = false;
  }
}
