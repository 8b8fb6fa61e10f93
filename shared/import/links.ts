import { limits } from '../limits.ts';
import { groupsOf, pathBetween } from './graph.ts';
import type { PlanItem, Warning } from './plan.ts';

/**
 * Makes the links of a plan ones that the hub can keep, in place: to items that exist, once each, and never in a
 * circle. An item waits for its dependencies and a parent for its open children, so a child that depends on its
 * own parent would never start: such dependencies go, the parents stay. Answers what was dropped.
 */
export function settleLinks(items: PlanItem[]): Warning[] {
  return [...dropMissing(items), ...dropParentCircles(items), ...dropWaitingCircles(items)];
}

function dropMissing(items: PlanItem[]): Warning[] {
  const keys = new Set(items.map((item) => item.key));
  const warnings: Warning[] = [];
  for (const item of items) {
    if (item.parentKey !== null && !keys.has(item.parentKey)) {
      warnings.push({ kind: 'missing', key: item.key, message: `parent ${item.parentKey}` });
      item.parentKey = null;
    }
    const known = [...new Set(item.dependencyKeys)].filter((key) => {
      if (!keys.has(key)) warnings.push({ kind: 'missing', key: item.key, message: `depends on ${key}` });
      return keys.has(key);
    });
    item.dependencyKeys = known.slice(0, limits.dependencies);
    for (const key of known.slice(limits.dependencies)) {
      warnings.push({
        kind: 'link',
        key: item.key,
        message: `depends on ${key}: more than ${limits.dependencies} links`,
      });
    }
  }
  return warnings;
}

function dropParentCircles(items: PlanItem[]): Warning[] {
  const warnings: Warning[] = [];
  const byKey = new Map(items.map((item) => [item.key, item]));
  const sound = new Set<string>();
  for (const item of items) {
    const line = new Set<string>();
    let above: PlanItem | undefined = item;
    while (above && !sound.has(above.key)) {
      line.add(above.key);
      if (above.parentKey !== null && line.has(above.parentKey)) {
        warnings.push({ kind: 'circle', key: above.key, message: `parent ${above.parentKey} is below it` });
        above.parentKey = null;
      }
      above = above.parentKey === null ? undefined : byKey.get(above.parentKey);
    }
    for (const key of line) sound.add(key);
  }
  return warnings;
}

function dropWaitingCircles(items: PlanItem[]): Warning[] {
  const waits = new Map<string, string[]>(items.map((item) => [item.key, [...item.dependencyKeys]]));
  for (const { key, parentKey } of items) if (parentKey !== null) waits.get(parentKey)?.push(key);
  const groupOf = new Map<string, number>();
  groupsOf(waits.keys(), waits).forEach((group, n) => group.forEach((key) => groupOf.set(key, n)));

  // Only a link within a group can be part of a circle. Those are put in again one by one.
  const inCircle = (from: string, to: string) => groupOf.get(from) === groupOf.get(to);
  const settled = new Map(
    items.map((item) => [item.key, item.dependencyKeys.filter((to) => !inCircle(item.key, to))]),
  );
  for (const { key, parentKey } of items) if (parentKey !== null) settled.get(parentKey)?.push(key);
  const warnings: Warning[] = [];
  for (const item of items) {
    item.dependencyKeys = item.dependencyKeys.filter((to) => {
      if (!inCircle(item.key, to)) return true;
      const circle = pathBetween(to, item.key, settled);
      if (circle)
        warnings.push({ kind: 'circle', key: item.key, message: `depends on ${to}: ${describe(circle)}` });
      else settled.get(item.key)?.push(to);
      return circle === null;
    });
  }
  return warnings;
}

function describe(circle: string[]): string {
  if (circle.length === 1) return 'which is itself';
  const shown = circle.length > 6 ? [...circle.slice(0, 3), '…', ...circle.slice(-2)] : circle;
  return `which waits for it (${shown.join(' → ')})`;
}
