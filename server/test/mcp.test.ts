import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProject, startTestHub, type TestHub } from './setup/hub.ts';
import { connectMcp } from './setup/mcp.ts';
import { get } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

async function agentIn(project: string, agent: string) {
  return connectMcp(hub, { query: `?project=${project}&agent=${agent}` });
}

describe('tools', () => {
  test('[MC1] a whole life: create, ready, claim, files with a conflict, progress, complete', async () => {
    const { name } = await newProject(hub);
    const [anna, ben] = [await agentIn(name, 'anna'), await agentIn(name, 'ben')];
    const made = await anna.tool('create_items', {
      items: [
        { ref: 'schema', title: 'Write the schema', task_type: 'feature', priority: 1 },
        { title: 'Write the queries', dependencies: ['schema'] },
        { title: 'Say how to run it', parent_item_id: undefined },
      ],
    });
    expect(made.items?.map(({ number }) => number)).toEqual([1, 2, 3]);
    const ready = await anna.tool('ready_items');
    expect(ready).toMatchObject({ isError: false, total: 2, items: [{ number: 1 }, { number: 3 }] });
    expect(await anna.tool('claim_item')).toMatchObject({
      claim: { item: { number: 1 }, attempt: 1 },
      conflicts: [],
    });
    expect(await ben.tool('claim_item', { id: '#3' })).toMatchObject({ claim: { item: { number: 3 } } });
    await anna.tool('report_files', { id: 1, files: ['src/a.ts'] });
    const shared = await ben.tool('report_files', { id: '3', files: ['src/a.ts'] });
    expect(shared.conflicts).toMatchObject([
      { number: 1, agent_id: 'anna', conflicting_files: ['src/a.ts'] },
    ]);
    expect(shared.notices).toBeUndefined();
    const told = await anna.tool('update_progress', { id: '#1', progress: 50, note: 'tables done' });
    expect(told).toMatchObject({ item: { progress: 50 }, notices: [{ kind: 'conflict', number: 1 }] });
    expect(told.text).toContain('src/a.ts is now also being changed by ben (#3 Say how to run it)');
    const done = await anna.tool('complete_item', {
      id: 1,
      result_summary: 'Three tables',
      claim_next: true,
    });
    expect(done).toMatchObject({
      item: { status: 'done' },
      next: { claim: { item: { number: 2 }, attempt: 1 } },
    });
    expect(await get(hub, String(made.items?.[0]?.id))).toMatchObject({
      status: 'done',
      assigned_agent_id: 'anna',
      result_summary: 'Three tables',
      files_modified: ['src/a.ts'],
    });
  });
});
