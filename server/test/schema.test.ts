import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, newProject, startTestHub } from './setup/hub.ts';
import { make } from './setup/work.ts';

// Nothing of the hub writes such rows: this is what stands behind it.
let sql: postgres.Sql;
let id: string;
beforeAll(async () => {
  const database = await createDatabase();
  const hub = await startTestHub({ database });
  ({ id } = await make(hub, (await newProject(hub)).id));
  await hub.stop();
  sql = postgres({ ...database, max: 1 });
});
afterAll(() => sql.end());

const done = "status = 'done', completed_at = now()";

test.each([
  ["title = ''", 'title_length'],
  ["title = repeat('x', 501)", 'title_length'],
  ["status = 'asleep'", 'status_known'],
  ['priority = 10', 'priority_in_range'],
  ['progress = 100.5', 'progress_in_range'],
  ['estimated_hours = -1', 'hours_positive'],
  ['attempt = -1', 'counters_positive'],
  ['open_blockers = -1', 'counters_positive'],
  ['max_attempts = 0', 'attempts_positive'],
  ["conflict_policy = 'maybe'", 'policy_known'],
  ['parent_item_id = id', 'not_own_parent'],
  ["files_planned = '{}'", 'lists_are_lists'],
  ["dependencies = '1'", 'lists_are_lists'],
  ["metadata = '[]'", 'maps_are_maps'],
  ['files_modified = (SELECT jsonb_agg(n) FROM generate_series(1, 10001) AS n)', 'files_bounded'],
  ['files_planned = (SELECT jsonb_agg(n) FROM generate_series(1, 1001) AS n)', 'plan_bounded'],
  ["status = 'claimed'", 'claim_has_holder'],
  ['lease_expires_at = now()', 'lease_only_while_claimed'],
  ["status = 'done'", 'completed_at_when_over'],
  ['completed_at = now()', 'completed_at_when_over'],
  ["status = 'failed', completed_at = now()", 'failed_has_reason'],
  ['retry_at = now()', 'retry_only_when_failed'],
  [`${done}, stopping = true`, 'stopping_only_when_cancelled'],
])('[SC1] no row of an item can have %s', async (change, constraint) => {
  await expect(sql.unsafe(`UPDATE work_items SET ${change} WHERE id = $1`, [id])).rejects.toMatchObject({
    code: '23514',
    constraint_name: `work_items_${constraint}`,
  });
});

test('[SC1] what the state machine allows, the row may have', async () => {
  await sql.unsafe(
    `UPDATE work_items SET ${done}, progress = 100, files_modified = '["a.ts"]' WHERE id = $1`,
    [id],
  );
  expect(await sql`SELECT status FROM work_items WHERE id = ${id}`).toEqual([{ status: 'done' }]);
});
