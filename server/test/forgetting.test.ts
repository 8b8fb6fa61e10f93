// What the hub keeps of connections that are gone: nothing.
import { queryObjects } from 'node:v8';
import { Socket } from 'socket.io';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { connect, connectAgent, newProject, refusal, startTestHub, type TestHub } from './setup/hub.ts';
import { complete, newItem } from './setup/steps.ts';
import { until } from './setup/until.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

/** The hub's ends of connections that are in memory still; it collects garbage first. */
const kept = () => queryObjects(Socket, { format: 'count' });

test('[OF11] agents that come, work off what they are offered and go, and boards, leave nothing behind', async () => {
  const project = await newProject(hub);
  // For others to be offered anything, somebody looks for work.
  await connectAgent(hub, project.name, 'stays', { task_types: ['another'] });
  for (let n = 0; n < 12; n++) {
    const agent = await connectAgent(hub, project.name, `a${n}`);
    const item = await newItem(hub, project);
    await agent.hear<{ item: Item }>('item.available', (offer) => offer.item.id === item.id);
    await agent.call('item.claim', { id: item.id });
    await complete(agent, item);
    agent.close();
    const board = await connect(hub);
    await board.call('project.watch', { project: project.id });
    expect(await refusal(board.call('project.watch', { project: 'none' }))).toMatchObject({
      code: 'NOT_FOUND',
    });
    board.close();
  }
  await until('only the one is left', async () => {
    await newItem(hub, project);
    return kept() === 1;
  });
});
