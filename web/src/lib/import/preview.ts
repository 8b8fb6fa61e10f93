import type { Plan, PlanItem } from '@switchyard/shared/import/plan';
import type { PreviewRow } from '#lib/create/preview.ts';

/** How often each occurs, the most frequent first. */
export function tally<T extends string>(values: readonly T[]): [T, number][] {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one);
}

/** The first items of a plan, as a person looks at them before they are made. */
export function previewRows(plan: Plan, there: ReadonlySet<string>, max: number): PreviewRow[] {
  const byKey = new Map(plan.items.map((item) => [item.key, item]));
  return plan.items.slice(0, max).map((item) => ({
    ...item,
    depth: depthOf(item, byKey),
    note: there.has(item.key) ? 'there already' : undefined,
  }));
}

function depthOf(item: PlanItem, byKey: ReadonlyMap<string, PlanItem>): number {
  let depth = 0;
  for (let above = item.parentKey; above !== null; above = byKey.get(above)?.parentKey ?? null) depth++;
  return depth;
}
