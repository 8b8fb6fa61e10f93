import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { getItem, newItems } from '../../server/test/setup/steps.ts';
import { connect } from '../client.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

test('a worker does what is there and what comes', async () => {
  const project = await newProject(hub);
  const items = await newItems(hub, project, 3);
  const client = await connect({ url: hub.url, token: adminToken, project: project.name, agentId: 'anna' });
  onTestFinished(() => client.close());
  const worker = client.work(async ({ item }) => `Did ${item.title}`);
  await until('all are done', () => worker.stats.completed === 3);
  const [more] = await newItems(hub, project, 1);
  await until('one more is done', () => worker.stats.completed === 4);
  await worker.close();
  expect(worker.stats).toMatchObject({ claimed: 4, completed: 4, running: 0 });
  expect((await getItem(hub, more!.id)).result_summary).toBe('Did item 1');
  expect((await getItem(hub, items[2]!.id)).status).toBe('done');
});
