import { createHash } from 'node:crypto';
import type { DraftItem } from '@switchyard/shared/commands';
import { limits } from '@switchyard/shared/limits';
import type { Call } from '../call.ts';
import { batchesOf, linksOf } from './batches.ts';
import { isFields } from './fields.ts';
import type { Plan, PlanItem } from './plan.ts';

export interface Imported {
  /** Items made by this import. */
  created: number;
  /** Items of the plan that an earlier import had made. */
  existing: number;
  /** Key in the source → id in the hub, of all items of the plan. */
  ids: Map<string, string>;
}

export interface ImportOptions {
  /** Called after every message: how many items of the plan exist now. */
  onProgress?: (done: number, total: number) => void;
}

/** A large create takes the hub a while. */
const createTimeoutMs = 60_000;

/**
 * Creates a plan's items in a project that exists; `call` must be an operator's. What an earlier import made is
 * known by `metadata.source` and left as it is, so importing twice adds nothing twice, and an import that broke
 * off is finished by importing again. Throws the hub's `Refusal`.
 *
 *     const { created } = await importPlan(call, 'shop', parseBacklog(text));
 */
export async function importPlan(
  call: Call,
  project: string,
  plan: Plan,
  options: ImportOptions = {},
): Promise<Imported> {
  const ids = await idsBySource(call, project, plan);
  const existing = ids.size;
  const missing = plan.items.filter((item) => !ids.has(item.key));
  const { id: projectId } = (await call('project.get', { project })).project;
  const linkedForward: PlanItem[] = [];
  options.onProgress?.(existing, plan.items.length);
  for (const batch of batchesOf(missing)) {
    const links = new Map([...batch.map((item, n) => [item.key, refOf(n)] as const), ...ids]);
    linkedForward.push(...batch.filter((item) => linksOf(item).some((key) => !links.has(key))));
    const items = batch.map((item, n) => draftOf(item, refOf(n), links));
    const request_id = requestId(projectId, items);
    const answer = await call('item.create', { project, items, request_id }, { timeoutMs: createTimeoutMs });
    if (!('items' in answer)) throw new Error('item.create answered an array with one item');
    answer.items.forEach((item, n) => ids.set(batch[n]!.key, item.id));
    options.onProgress?.(ids.size, plan.items.length);
  }
  for (const item of linkedForward) {
    const { parent_item_id, dependencies } = draftOf(item, '', ids);
    await call('item.update', { id: ids.get(item.key)!, parent_item_id, dependencies });
  }
  return { created: missing.length, existing, ids };
}

async function idsBySource(call: Call, project: string, plan: Plan): Promise<Map<string, string>> {
  const keys = new Set(plan.items.map((item) => item.key));
  const ids = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const page = await call('item.list', { project, limit: limits.listMax, cursor });
    for (const { id, metadata } of page.items) {
      const source = isFields(metadata.source) ? metadata.source : {};
      if (source.system === plan.system && keys.has(source.id as string)) ids.set(source.id as string, id);
    }
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
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

/** The same items for the same project make the same id: a repeated message is answered as the first one was. */
function requestId(projectId: string, items: DraftItem[]): string {
  return `import-${createHash('sha256').update(projectId).update(JSON.stringify(items)).digest('hex')}`;
}
