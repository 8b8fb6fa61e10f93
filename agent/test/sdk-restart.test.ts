// A hub that goes down while handlers are at work, and comes back.
import { describe, expect, test } from 'vitest';
import { newProject } from '../../server/test/setup/hub.ts';
import { startChildHub } from '../../server/test/setup/child-hub.ts';
import { eventsOf, getItem, newItems, violationsOf } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';
import { agentOf, waiting, workOf } from './sdk.ts';

describe.each(['SIGKILL', 'SIGTERM'] as const)('%s', (signal) => {
  test('[RS1] handlers go on, and what they bring is told to the hub that comes back', async () => {
    const before = await startChildHub();
    const project = await newProject(before);
    const items = await newItems(before, project, 6);
    const handler = waiting<void>();
    const client = await agentOf(before, project);
    const worker = workOf(
      client,
      async ({ item, signal: stop, progress, reportFiles }) => {
        await handler.go;
        progress(50, 'half way');
        await reportFiles([`src/${item.number}.ts`]);
        stop.throwIfAborted();
        return `Did ${item.title}`;
      },
      { concurrency: 3 },
    );
    await until('three are begun', () => worker.stats.running === 3);
    await before.end(signal);
    handler.letGo(); // reports and ends while there is no hub
    await until('it is noticed', () => !client.connected);
    const after = await startChildHub({ dataDir: before.dataDir, port: before.port });
    await until('all are done', () => worker.stats.completed === 6);
    expect(worker.stats).toMatchObject({ claimed: 6, completed: 6, lost: 0, released: 0 });
    for (const item of items) {
      expect(await getItem(after, item.id)).toMatchObject({
        attempt: 1,
        result_summary: `Did ${item.title}`,
        files_modified: [`src/${item.number}.ts`],
      });
      expect(await eventsOf(after, item, 'item.completed')).toHaveLength(1);
    }
    expect(await violationsOf(after, project)).toEqual([]);
  });
});
