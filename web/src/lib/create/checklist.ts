import type { ChecklistEntry } from '@switchyard/shared/checklist';
import type { DraftItem } from '@switchyard/shared/commands';
import { issuesOf } from '#lib/form-problems.ts';
import { problemsOf, blankFields, type Problems } from './fields.ts';

const refOf = (place: number) => `n${place}`;

/** The items that a checklist makes, each naming its parent. */
export const draftsOf = (entries: readonly ChecklistEntry[]): DraftItem[] =>
  entries.map(
    ({ title, description, task_type, priority, estimated_hours, status, parent, ...rest }, place) => {
      const imported = {
        ...(rest.sections.length > 0 ? { section: rest.sections.join(' / ') } : {}),
        ...(rest.tags.length > 0 ? { tags: rest.tags } : {}),
      };
      return {
        ref: refOf(place),
        title,
        description,
        task_type,
        estimated_hours,
        ...(priority === null ? {} : { priority }),
        ...(parent === null ? {} : { parent_item_id: refOf(parent) }),
        ...(status === 'todo' ? {} : { status }),
        ...(Object.keys(imported).length > 0 ? { metadata: { imported } } : {}),
      };
    },
  );

/** How far in each entry stands: 0 for one without a parent. */
export function depthsOf(entries: readonly ChecklistEntry[]): number[] {
  const depths: number[] = [];
  for (const { parent } of entries) depths.push(parent === null ? 0 : depths[parent]! + 1);
  return depths;
}

/** The hub's refusal of several items: by their places, and what is about none of them. */
export function rowProblemsOf(error: unknown): [ReadonlyMap<number, string>, Problems] {
  const rows = new Map<number, string>();
  for (const { path, message } of issuesOf(error)) {
    const [, place, field] = /^items\.(\d+)\.(.+)$/.exec(path) ?? [];
    if (place && field && !rows.has(Number(place))) rows.set(Number(place), `${field}: ${message}`);
  }
  if (rows.size === 0) return [rows, problemsOf(error, blankFields())];
  const [[first, message]] = [...rows] as [[number, string]];
  return [
    rows,
    {
      '': `Nothing was created. Entry ${first + 1}: ${message}${rows.size > 1 ? ` (and ${rows.size - 1} more)` : ''}`,
    },
  ];
}
