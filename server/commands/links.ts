import { v7 as newId } from 'uuid';
import type { DraftItem } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import type { NewItem } from '../domain/create.ts';
import { patternsOf } from '../domain/patterns.ts';
import { isUuid } from '../uuid.ts';

/** Gives new items their ids, and turns the refs by which they name each other into those. */
export function itemsFrom(drafts: readonly DraftItem[], pathOf: (place: number) => string): NewItem[] {
  const ids = new Map<string, string>();
  const made = drafts.map((draft, place) => {
    const id = newId();
    if (draft.ref !== undefined) {
      if (ids.has(draft.ref))
        throw badLink(`${pathOf(place)}ref`, `"${draft.ref}" stands twice: each ref names one item`);
      ids.set(draft.ref, id);
    }
    return { id, draft };
  });
  const items = made.map(({ id, draft }, place) => newItem(id, draft, pathOf(place), ids));
  refuseCycle(items);
  return items;
}

function newItem(id: string, draft: DraftItem, path: string, ids: ReadonlyMap<string, string>): NewItem {
  const resolve = (link: string, where: string): string => {
    const target = ids.get(link) ?? (isUuid(link) ? link.toLowerCase() : undefined);
    if (target === undefined)
      throw badLink(where, `"${link}" is neither an id nor the ref of an item of this array`);
    return target;
  };
  const dependencies = (draft.dependencies ?? []).map((link, at) =>
    resolve(link, `${path}dependencies.${at}`),
  );
  refuseRepeats(dependencies, `${path}dependencies`);
  const planned = draft.files_planned ?? [];
  return {
    id,
    title: draft.title,
    description: draft.description ?? null,
    task_type: draft.task_type ?? null,
    priority: draft.priority ?? 5,
    parent_item_id:
      draft.parent_item_id === null || draft.parent_item_id === undefined
        ? null
        : resolve(draft.parent_item_id, `${path}parent_item_id`),
    dependencies,
    files_planned: planned,
    file_patterns: patternsOf(planned),
    estimated_hours: draft.estimated_hours ?? null,
    max_attempts: draft.max_attempts ?? 1,
    conflict_policy: draft.conflict_policy ?? null,
    metadata: draft.metadata ?? {},
    status: draft.status ?? 'todo',
    result_summary: draft.result_summary ?? null,
  };
}

export function refuseRepeats(ids: readonly string[], path: string): void {
  const again = ids.findIndex((id, place) => ids.indexOf(id) !== place);
  if (again >= 0) throw badLink(`${path}.${again}`, 'stands twice');
}

export function badLink(path: string, message: string): Refusal {
  const where = path ? `${path}: ` : '';
  return new Refusal('VALIDATION', `The input does not fit. ${where}${message}`, {
    issues: [{ path, message }],
  });
}

export function cycleRefusal(path: string[]): Refusal {
  return new Refusal(
    'DEPENDENCY_CYCLE',
    'These items would wait for each other for ever: an item waits for its dependencies, a parent for its open children. Leave one link out.',
    { path },
  );
}

/** Refuses what is cyclic among new items alone. */
function refuseCycle(items: readonly NewItem[]): void {
  const waitsFor = new Map<string, string[]>(items.map((item) => [item.id, [...item.dependencies]]));
  for (const item of items)
    if (item.parent_item_id !== null) waitsFor.get(item.parent_item_id)?.push(item.id);
  const cycle = findCycle(waitsFor);
  if (cycle) throw cycleRefusal(cycle);
}

/** The ids round one cycle, each waiting for the next and the last for the first; null when there is none. */
export function findCycle(waitsFor: ReadonlyMap<string, readonly string[]>): string[] | null {
  const state = new Map<string, 'open' | 'closed'>();
  for (const start of waitsFor.keys()) {
    if (state.has(start)) continue;
    // Depth first, without recursion: a chain of 1,000 items is no reason to run out of stack.
    const path: { id: string; next: number }[] = [{ id: start, next: 0 }];
    state.set(start, 'open');
    while (path.length > 0) {
      const top = path.at(-1)!;
      const target = waitsFor.get(top.id)?.[top.next++];
      if (target === undefined) {
        state.set(top.id, 'closed');
        path.pop();
      } else if (state.get(target) === 'open') {
        return path.slice(path.findIndex((one) => one.id === target)).map((one) => one.id);
      } else if (!state.has(target)) {
        state.set(target, 'open');
        path.push({ id: target, next: 0 });
      }
    }
  }
  return null;
}
