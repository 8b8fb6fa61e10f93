import type { Item } from '@switchyard/shared/item';
import { HubError } from '#lib/api.ts';
import type { ProjectLive } from '#lib/live/project.svelte.ts';
import { RequestIds } from '#lib/request-id.ts';
import {
  blankFields,
  fieldNames,
  fieldsOf,
  problemsOf,
  type FieldName,
  type Fields,
  type Problems,
} from './fields.ts';
import { numbersOf } from './links.ts';
import { patchOf } from './patch.ts';

/** What is sent again because an agent's progress, say, raised the version without touching any field. */
const againMax = 5;

/**
 * An item that somebody edits while others may change it too. What the others change of fields that are not touched
 * here is taken over; of a field that was touched on both sides the person decides, before anything is saved.
 */
export class ItemEdit {
  /** What is typed. */
  mine = $state<Fields>(blankFields());
  /** What it was when `mine` was begun, or last decided upon. */
  base = $state.raw<Fields>(blankFields());
  /** As the item stands now. */
  theirs = $state.raw<Fields>(blankFields());
  ready = $state(false);
  busy = $state(false);
  problems = $state.raw<Problems>({});
  /** Taken over from others since the form was opened. */
  takenOver = $state.raw<ReadonlySet<FieldName>>(new Set());
  undecided = $derived(this.#changed().filter((name) => this.mine[name] !== this.base[name]));
  touched = $derived(fieldNames.filter((name) => this.mine[name] !== this.base[name]));
  readonly #live: ProjectLive;
  readonly #ids = new RequestIds();
  #item: Item;

  constructor(live: ProjectLive, item: Item) {
    this.#live = live;
    this.#item = item;
    void this.#begin(item);
  }

  async #begin(item: Item): Promise<void> {
    try {
      const fields = await this.#fieldsOf(item);
      [this.mine, this.base, this.theirs, this.ready] = [{ ...fields }, fields, fields, true];
    } catch (error) {
      this.problems = problemsOf(error, this.mine);
    }
  }

  /** The item has come to stand so; an older copy than is known is passed over. */
  async follow(item: Item): Promise<void> {
    if (!this.ready || item.version <= this.#item.version) return;
    const fields = await this.#fieldsOf(item);
    if (item.version <= this.#item.version) return;
    this.#item = item;
    this.theirs = fields;
    const untouched = this.#changed().filter((name) => this.mine[name] === this.base[name]);
    for (const name of untouched) this.take(name);
    this.takenOver = new Set([...this.takenOver, ...untouched]);
  }

  /** Theirs counts. */
  take(name: FieldName): void {
    this.mine[name] = this.theirs[name];
    this.keep(name);
  }

  /** Mine counts: it goes over theirs when it is saved. */
  keep(name: FieldName): void {
    this.base = { ...this.base, [name]: this.theirs[name] };
  }

  /** Whether it was saved; if not, `problems` and `undecided` say why. */
  async save(): Promise<boolean> {
    this.busy = true;
    this.problems = {};
    try {
      return await this.#send();
    } catch (error) {
      this.problems = problemsOf(error, this.mine);
      return false;
    } finally {
      this.busy = false;
    }
  }

  async #send(): Promise<boolean> {
    for (let time = 0; time < againMax; time++) {
      if (this.undecided.length > 0) {
        this.problems = {
          '': 'Nothing is saved yet: somebody else changed the same. Decide which counts, then save.',
        };
        return false;
      }
      const { id, version } = this.#item;
      const takenOver = this.takenOver.size;
      const { patch, problems } = await patchOf(this.#live, this.mine, this.touched);
      if (problems) this.problems = problems;
      if (!patch) return false;
      const input = { id, version, ...patch };
      try {
        const answer = await this.#ids.send(input, (words) => this.#live.call('item.update', words));
        this.#live.learn(answer.item);
        return true;
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== 'VERSION_MISMATCH') throw error;
      }
      const { item } = await this.#live.call('item.get', { id });
      this.#live.learn(item);
      await this.follow(item);
      if (this.undecided.length === 0 && this.takenOver.size > takenOver) {
        this.problems = {
          '': 'Nothing is saved yet: somebody changed it meanwhile. Look at it, then save again.',
        };
        return false;
      }
    }
    this.problems = { '': 'The item changes too often just now. Save again in a moment.' };
    return false;
  }

  #changed(): FieldName[] {
    return fieldNames.filter((name) => this.theirs[name] !== this.base[name]);
  }

  async #fieldsOf(item: Item): Promise<Fields> {
    const linked = [...item.dependencies, ...(item.parent_item_id ? [item.parent_item_id] : [])];
    const numbers = await numbersOf(this.#live, linked);
    return fieldsOf(item, (id) => numbers.get(id));
  }
}
