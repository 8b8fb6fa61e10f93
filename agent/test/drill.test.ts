import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseBacklog } from '@switchyard/shared/import/backlog';
import { adminToken, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { Drill } from '../drill/drill.ts';
import { summaryOf } from '../drill/summary.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub({ timing: { leaseSeconds: 5, heartbeatSeconds: 1, graceSeconds: 0.5 } });
});
afterAll(() => hub.stop());

/** Families of items, some done before. */
const backlog = Array.from({ length: 12 }, (_, n) => [
  `- [ ] Family ${n}`,
  '  - [x] Done',
  '  - [ ] Open',
  '  - [ ] Other',
])
  .flat()
  .join('\n');

test(
  'agents finish a backlog though two of them are killed, and the history holds',
  { timeout: 60_000 },
  async () => {
    const options = {
      agents: 3,
      kills: 2,
      seed: 7,
      workMsMax: 10,
      failRate: 0.1,
      timeoutSeconds: 50,
      discard: false,
    };
    const drill = new Drill(
      { url: hub.url, token: adminToken },
      'drill-test',
      parseBacklog(backlog),
      options,
    );
    const result = await drill.run();
    expect(result.violations).toEqual([]);
    expect(drill.tally).toMatchObject({ kills: 2, faults: [], completed: 36 });
    expect(result.items.every((item) => item.status === 'done')).toBe(true);
    const lost = result.events.filter((event) => event.data.reason === 'lease_expired');
    expect(lost).toHaveLength(2);
    expect(summaryOf(drill, result)).toContain('No violation of 11 rules.');
  },
);

test('Ctrl-C ends the drill and its agents', { timeout: 30_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'switchyard-drill-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  writeFileSync(join(dir, 'plan.md'), backlog);
  const env = { ...process.env, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken, INIT_CWD: dir };
  const args = ['agent/drill/main.ts', 'plan.md', '--agents', '2', '--work-ms', '60000', '--kills', '0'];
  const drill = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [drill.stdout, drill.stderr]) stream.on('data', (data) => (said += String(data)));
  await expect.poll(() => said, { timeout: 20_000 }).toContain('0 of 36 done');
  drill.kill('SIGINT');
  // Its pipes are closed once no agent holds them any more.
  const code = await new Promise((resolve) => drill.once('close', resolve));
  expect(code).toBe(130);
  expect(said).toContain('Stopped.');
});
