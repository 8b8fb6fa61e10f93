import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, connectAgent, newProject, startTestHub, type TestHub } from './setup/hub.ts';
import type { Item } from '@switchyard/shared/item';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

test('[OF1] an item that is created is offered to an idle agent, which claims and completes it', async () => {
  const project = await newProject(hub);
  const agent = await connectAgent(hub, project.name, 'a1');
  const created = await call(hub, 'item.create', { project: project.id, title: 'one' });
  const { item } = await agent.hear<{ item: Item }>('item.available');
  expect(created).toMatchObject({ item: { id: item.id } });
  const { claim } = await agent.call('item.claim', { id: item.id });
  expect(claim).toMatchObject({ attempt: 1, session_id: agent.ready!.session_id });
  const done = await agent.call('item.complete', {
    id: item.id,
    attempt: 1,
    result_summary: 'ok',
    claim_next: true,
  });
  expect(done).toMatchObject({ item: { status: 'done' }, next: { claim: null } });
});
