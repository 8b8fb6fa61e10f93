import type { Progress } from '@switchyard/shared/agent';
import type { Status } from '@switchyard/shared/item';
import type { Sql } from '../db/database.ts';
import { readClock } from './clock.ts';
import { isReady } from './wire.ts';

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

/** Items of one parent that stand alike. */
interface Alike {
  parent_item_id: string | null;
  number: number;
  title: string;
  status: Status;
  ready: boolean;
  /** Done by an agent within the last hour. */
  lately: boolean;
  items: number;
  weight: number;
  /** Hours of work in them, as far as reported. */
  weight_reported: number;
  /** Since the first of them was begun. */
  span_seconds: number | null;
  /** Since 1970, on the database's clock. */
  now_seconds: number;
}

/** A hundred years; further off it is no time to give, and one after the year 9999 none that can be written. */
const etaSecondsMax = 100 * 365 * 86_400;

/**
 * How far a project is. Weighted by estimated_hours; cancelled items do not count; a claim counts by its progress.
 *
 * One pass over the items, which are grouped by all that matters and added up here: with a sum of its own for each
 * status 100,000 items took 200 ms instead of 70. What was done lately is found in the same pass, for where agents are
 * quick it may be most of what there is, and an index would lead to every row of it. What is next to nothing counts as
 * nothing: PostgreSQL fails at a product that is too small for its type.
 */
export async function projectProgress(sql: Sql, projectId: string): Promise<Progress> {
  const rows = await sql<Alike[]>`
    WITH alike AS (
      SELECT parent_item_id, status, ${isReady(sql, projectId)} AS ready,
        status = 'done' AND attempt > 0 AND completed_at > statement_timestamp() - interval '1 hour' AS lately,
        count(*)::int AS items, sum(coalesce(estimated_hours, 1)) AS weight,
        sum(CASE WHEN progress > 0.001 AND coalesce(estimated_hours, 1) > 1e-9
          THEN coalesce(estimated_hours, 1) * progress / 100 ELSE 0 END) AS weight_reported,
        extract(epoch FROM clock_timestamp() - min(least(assigned_at, completed_at)))::float8 AS span_seconds,
        extract(epoch FROM clock_timestamp())::float8 AS now_seconds
      FROM work_items i WHERE i.project_id = ${projectId} GROUP BY 1, 2, 3, 4
    )
    SELECT alike.*, w.number, w.title FROM alike LEFT JOIN work_items w ON w.id = alike.parent_item_id
    ORDER BY w.number NULLS FIRST`;
  const parents = Map.groupBy(rows, (row) => row.parent_item_id);
  const all = addUp(rows);
  const lately = rows.filter((row) => row.lately);
  const seconds = etaSeconds(all, lately);
  // An empty project has no row to bring it.
  const now = rows[0]?.now_seconds ?? Date.parse(await readClock(sql)) / 1_000;
  return {
    ...counts(all),
    finished_last_hour: sumOf(lately, 'items'),
    eta_seconds: seconds,
    eta_at: seconds === null ? null : new Date((now + seconds) * 1_000).toISOString(),
    parents: [...parents].flatMap(([item_id, [first, ...more]]) =>
      item_id === null || !first
        ? []
        : [{ item_id, number: first.number, title: first.title, ...counts(addUp([first, ...more])) }],
    ),
  };
}

const sumOf = (rows: readonly Alike[], key: 'items' | 'weight' | 'weight_reported') =>
  rows.reduce((sum, row) => sum + row[key], 0);

function addUp(rows: readonly Alike[]): Sums {
  const of = (status: Status) => rows.filter((row) => row.status === status);
  const wanted = rows.filter((row) => row.status !== 'cancelled');
  return {
    total: sumOf(rows, 'items'),
    todo: sumOf(of('todo'), 'items'),
    claimed: sumOf(of('claimed'), 'items'),
    done: sumOf(of('done'), 'items'),
    failed: sumOf(of('failed'), 'items'),
    cancelled: sumOf(of('cancelled'), 'items'),
    ready: sumOf(
      rows.filter((row) => row.ready),
      'items',
    ),
    weight: sumOf(wanted, 'weight'),
    weight_done: sumOf(of('done'), 'weight') + sumOf(of('claimed'), 'weight_reported'),
  };
}

function counts(sums: Sums) {
  const { total, todo, claimed, done, failed, cancelled, ready, weight, weight_done } = sums;
  // Where every estimate is 0 hours, items count alike.
  const part = weight > 0 ? weight_done / weight : total - cancelled > 0 ? done / (total - cancelled) : 0;
  const percent = Math.round(part * 1_000) / 10;
  return { total, todo, claimed, done, failed, cancelled, ready, blocked: todo - ready, percent };
}

/** What is left, at the pace of the last hour; null when nothing was finished in it, or next to nothing. */
function etaSeconds(all: Sums, lately: readonly Alike[]): number | null {
  const left = all.weight - all.weight_done;
  if (left <= 0) return 0;
  const weight = sumOf(lately, 'weight');
  const seconds = Math.max(0, ...lately.map((row) => row.span_seconds ?? 0));
  if (weight <= 0 || seconds <= 0) return null;
  const eta = Math.round((left * Math.min(seconds, 3_600)) / weight);
  return eta > etaSecondsMax ? null : eta;
}
