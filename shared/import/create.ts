import type { CommandInput, CommandOutput, DraftItem } from '../commands.ts';
import { limits } from '../limits.ts';
import { batchesOf, linksOf } from './batches.ts';
import { isFields } from './fields.ts';
import type { Plan, PlanItem } from './plan.ts';
import { sha256 } from './sha256.ts';

type Used = 'project.get' | 'item.list' | 'item.create' | 'item.update';

/** How an import speaks to the hub, over whatever carries it. Throws the hub's refusals. */
export type ImportCall = <K extends Used>(
  command: K,
  input: CommandInput<K>,
  options?: { timeoutMs?: number },
) => Promise<CommandOutput<K>>;

export interface Imported {
  /** Items made by this import. */
  created: number;
  /** Items of the plan that an earlier import had made. */
  existing: number;
  /** Items that are not made, because it was stopped. */
  left: number;
  /** Key in the source → id in the hub, of all items of the plan that there are. */
  ids: Map<string, string>;
}

export interface ImportOptions {
  /** Called after every message: how many items of the plan exist now. */
  onProgress?: (done: number, total: number) => void;
  /** Ends it before the next message; importing again goes on from there. */
  signal?: { readonly aborted: boolean };
}

/** A large create takes the hub a while. */
const createTimeoutMs = 60_000;

/**
 * Creates a plan's items in a project that exists; `call` must be an operator's. What an earlier import made is
 * known by `metadata.source` and left as it is, so importing twice adds nothing twice, and an import that broke
 * off is finished by importing again. Throws the hub's refusal.
 *
 *     const { created } = await importPlan(call, 'shop', parseBacklog(text));
 */
export async function importPlan(
  call: ImportCall,
  project: string,
  plan: Plan,
  { onProgress, signal }: ImportOptions = {},
): Promise<Imported> {
  const ids = await findImported(call, project, plan, { signal });
  const existing = ids.size;
  const missing = plan.items.filter((item) => !ids.has(item.key));
  const { id: projectId } = (await call('project.get', { project })).project;
  let waiting: PlanItem[] = [];
  onProgress?.(existing, plan.items.length);
  for (const batch of batchesOf(missing)) {
    // Between two parts of a ring links would be lost: of what exists, a later import changes nothing.
    if (signal?.aborted && waiting.length === 0) break;
    const links = new Map([...batch.map((item, n) => [item.key, refOf(n)] as const), ...ids]);
    waiting.push(...batch.filter((item) => linksOf(item).some((key) => !links.has(key))));
    const items = batch.map((item, n) => draftOf(item, refOf(n), links));
    // The same items for the same project make the same id: a repeated message is answered as the first one was.
    const request_id = `import-${sha256(projectId + JSON.stringify(items))}`;
    const answer = await call('item.create', { project, items, request_id }, { timeoutMs: createTimeoutMs });
    if (!('items' in answer)) throw new Error('item.create answered an array with one item');
    answer.items.forEach((item, n) => ids.set(batch[n]!.key, item.id));
    waiting = await linkForward(call, waiting, ids);
    onProgress?.(ids.size, plan.items.length);
  }
  return { created: ids.size - existing, existing, left: plan.items.length - ids.size, ids };
}

/** Links those of which all that they name exists by now; answers the others. */
async function linkForward(
  call: ImportCall,
  waiting: readonly PlanItem[],
  ids: ReadonlyMap<string, string>,
): Promise<PlanItem[]> {
  const still: PlanItem[] = [];
  for (const item of waiting) {
    if (!linksOf(item).every((key) => ids.has(key))) still.push(item);
    else {
      const { parent_item_id, dependencies } = draftOf(item, '', ids);
      await call('item.update', { id: ids.get(item.key)!, parent_item_id, dependencies });
    }
  }
  return still;
}

export interface FindOptions {
  /** Called after every page: how many of the project's items were looked at. */
  onProgress?: (looked: number, total: number) => void;
  signal?: { readonly aborted: boolean } | undefined;
}

/** What an earlier import made of a plan: key in the source → id in the hub. */
export async function findImported(
  call: ImportCall,
  project: string,
  plan: Plan,
  { onProgress, signal }: FindOptions = {},
): Promise<Map<string, string>> {
  const keys = new Set(plan.items.map((item) => item.key));
  const ids = new Map<string, string>();
  let cursor: string | undefined;
  let looked = 0;
  do {
    const page = await call('item.list', { project, limit: limits.listMax, cursor });
    for (const { id, metadata } of page.items) {
      const source = isFields(metadata.source) ? metadata.source : {};
      if (source.system === plan.system && keys.has(source.id as string)) ids.set(source.id as string, id);
    }
    looked += page.items.length;
    onProgress?.(looked, page.total);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined && !signal?.aborted);
  return ids;
}

const refOf = (place: number) => `n${place}`;

/** The item as `item.create` takes it; what it names and `links` does not know is left out. */
function draftOf(item: PlanItem, ref: string, links: ReadonlyMap<string, string>): DraftItem {
  const { key: _, parentKey, dependencyKeys, status, result_summary, ...fields } = item;
  return {
    ref,
    ...fields,
    parent_item_id: parentKey === null ? null : (links.get(parentKey) ?? null),
    dependencies: dependencyKeys.flatMap((key) => links.get(key) ?? []),
    // `todo` goes without saying, and an agent may say nothing else.
    ...(status === 'todo' ? {} : { status }),
    ...(result_summary === null ? {} : { result_summary }),
  };
}
