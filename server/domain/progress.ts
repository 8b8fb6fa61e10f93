import type { Progress } from '@switchyard/shared/agent';
import type { Sql } from '../db/database.ts';
import { within } from '../db/text.ts';
import { readyNow } from './wire.ts';

interface Sums {
  total: number;
  todo: number;
  claimed: number;
  done: number;
  failed: number;
  cancelled: number;
  ready: number;
  /** In hours; an item without an estimate counts as one. */
  weight: number;
  weight_done: number;
}

/** How far a project is. Weighted by estimated_hours; cancelled items do not count; a claim counts by its progress. */
export async function projectProgress(sql: Sql, projectId: string): Promise<Progress> {
  const parents = await sql<(Sums & { item_id: string | null; number: number; title: string })[]>`
    WITH sums AS (
      SELECT i.parent_item_id AS item_id, count(*)::int AS total,
        count(*) FILTER (WHERE status = 'todo')::int AS todo, count(*) FILTER (WHERE status = 'claimed')::int AS claimed,
        count(*) FILTER (WHERE status = 'done')::int AS done, count(*) FILTER (WHERE status = 'failed')::int AS failed,
        count(*) FILTER (WHERE status = 'cancelled')::int AS cancelled, count(*) FILTER (WHERE ${within(sql, readyNow)})::int AS ready,
        coalesce(sum(coalesce(estimated_hours, 1)) FILTER (WHERE status <> 'cancelled'), 0) AS weight,
        coalesce(sum(coalesce(estimated_hours, 1) * CASE WHEN status = 'done' THEN 1 WHEN status = 'claimed'
          THEN coalesce(progress, 0) / 100 ELSE 0 END) FILTER (WHERE status <> 'cancelled'), 0) AS weight_done
      FROM work_items i WHERE i.project_id = ${projectId} GROUP BY i.parent_item_id
    )
    SELECT sums.*, w.number, w.title FROM sums LEFT JOIN work_items w ON w.id = sums.item_id ORDER BY w.number NULLS FIRST`;
  const [pace] = await sql<{ count: number; weight: number; span_seconds: number }[]>`
    SELECT count(*)::int AS count, coalesce(sum(coalesce(estimated_hours, 1)), 0) AS weight,
      coalesce(extract(epoch FROM clock_timestamp() - least(min(assigned_at), min(completed_at))), 0)::float8 AS span_seconds
    FROM work_items WHERE project_id = ${projectId} AND status = 'done' AND attempt > 0
      AND completed_at > clock_timestamp() - interval '1 hour'`;
  const all = parents.reduce(add, zero);
  const seconds = etaSeconds(all, pace!);
  return {
    ...counts(all),
    finished_last_hour: pace!.count,
    eta_seconds: seconds,
    eta_at: seconds === null ? null : new Date(Date.now() + seconds * 1_000).toISOString(),
    parents: parents
      .filter((row) => row.item_id !== null)
      .map((row) => ({ item_id: row.item_id!, number: row.number, title: row.title, ...counts(row) })),
  };
}

const zero: Sums = {
  total: 0,
  todo: 0,
  claimed: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
  ready: 0,
  weight: 0,
  weight_done: 0,
};

function add(a: Sums, b: Sums): Sums {
  const sum = { ...a };
  for (const key of Object.keys(zero) as (keyof Sums)[]) sum[key] = a[key] + b[key];
  return sum;
}

function counts(sums: Sums) {
  const { total, todo, claimed, done, failed, cancelled, ready, weight, weight_done } = sums;
  // Where every estimate is 0 hours, items count alike.
  const part = weight > 0 ? weight_done / weight : total - cancelled > 0 ? done / (total - cancelled) : 0;
  const percent = Math.round(part * 1_000) / 10;
  return { total, todo, claimed, done, failed, cancelled, ready, blocked: todo - ready, percent };
}

/** What is left, at the pace of the last hour; null when nothing was finished in it. */
function etaSeconds(all: Sums, pace: { weight: number; span_seconds: number }): number | null {
  const left = all.weight - all.weight_done;
  if (left <= 0) return 0;
  if (pace.weight <= 0 || pace.span_seconds <= 0) return null;
  return Math.round((left * Math.min(pace.span_seconds, 3_600)) / pace.weight);
}
