import type { PlanItem } from './plan.ts';

/** An item of a plan, for tests. */
export function itemOf(
  key: string,
  parentKey: string | null = null,
  dependencyKeys: string[] = [],
): PlanItem {
  return {
    key,
    title: `Item ${key}`,
    description: null,
    task_type: null,
    priority: 5,
    parentKey,
    dependencyKeys,
    status: 'todo',
    estimated_hours: null,
    result_summary: null,
    metadata: { source: { system: 'checklist', id: key } },
  };
}
