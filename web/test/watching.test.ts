import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, connectAgent, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { limits } from '@switchyard/shared/limits';
import { lengthenLog } from '../../server/test/setup/long-log.ts';
import { breakDown, finish, httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const lines = (board: Board) =>
  board.page.getByRole('list', { name: 'Lines of the log' }).getByRole('listitem');

describe('agents', () => {
  test('what each holds, since when, and its lease; what it did lately; those that are gone', async () => {
    const project = await newProject(hub);
    const [one, two] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}/agents`);
    await seen(board.text('No agent has connected yet'));
    const anna = await connectAgent(hub, project.id, 'anna', { capacity: 2 });
    await anna.call('item.claim', { id: one!.id });
    const card = board.page.getByRole('article', { name: 'anna' });
    await seen(card.getByText('working'));
    await seen(card.getByRole('link', { name: '#1 First' }));
    await seen(card.getByText(/for \d+s · attempt 1/));
    await seen(card.getByText(/lease ends in \d+s/));
    await seen(card.getByText('room for 1 more · takes anything'));
    await httpAgent(hub, 'http-agent').claim(two!.id);
    await seen(board.page.getByRole('article', { name: 'http-agent' }).getByText('over HTTP'));
    await anna.call('item.complete', {
      id: one!.id,
      attempt: 1,
      result_summary: 'Done',
      files_modified: [],
    });
    await seen(card.getByText('1 done'));
    await card.getByRole('button', { name: 'What it did lately' }).click();
    await seen(card.getByText('#1 completed'));
    await seen(card.getByText('#1 claimed, attempt 1'));
    anna.close();
    await seen(card.getByText('gone'));
    await seen(card.getByText('not connected'));
    await card.getByRole('link', { name: 'All it did, in the log' }).click();
    await seen(lines(board).filter({ hasText: 'disconnected' }));
    expect(await lines(board).filter({ hasText: 'http-agent' }).count()).toBe(0);
  });

  test('one that holds an item and has lost its connection is stale, and needs a person', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Held' });
    const agent = await connectAgent(hub, project.id, 'anna');
    await agent.call('item.claim', { id: item.id });
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    agent.close();
    await board.page.getByRole('link', { name: 'anna stale' }).click();
    const card = board.page.getByRole('region', { name: 'Stale' }).getByRole('article', { name: 'anna' });
    await seen(card.getByText('not connected'));
    await seen(card.getByRole('link', { name: '#1 Held' }));
  });

  test('ages and leases are counted by the hub’s clock, whatever the browser’s says', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Held' });
    const agent = await connectAgent(hub, project.id, 'anna');
    await agent.call('item.claim', { id: item.id });
    for (const clockOffBySeconds of [3_600, -3_600]) {
      const options = { clockOffBySeconds };
      const board = await openBoard(browser(), hub, `/p/${project.name}/agents`, options);
      const card = board.page.getByRole('article', { name: 'anna' });
      await seen(card.getByText(/lease ends in (\d+s|1m)/));
      await seen(card.getByText(/last sign of life \d+s ago/));
    }
  });

  test('of two runs that go by one name, each item shows the one that holds it', async () => {
    const project = await newProject(hub);
    const items = await makeAll(hub, project.id, [{}, {}, {}]);
    const runs = await Promise.all(items.map(() => connectAgent(hub, project.id, 'anna')));
    for (const [at, item] of items.entries()) await runs[at]!.call('item.claim', { id: item.id });
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    runs[0]!.close();
    runs[1]!.close();
    await seen(board.text('(2 stale)'));
    await seen(board.text('1 needs you:'));
    const stale = (at: number) => board.card(items[at]!).locator('.beat.stale');
    await seen(stale(0));
    await seen(stale(1));
    expect(await stale(2).count()).toBe(0);
    await board.card(items[2]!).getByRole('link').click();
    await seen(board.panel(3).getByText(/working, last sign of life/));
  });

  test('stale ones for which there is no room are found among the agents', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      Array.from({ length: 7 }, () => ({})),
    );
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    for (const item of items) {
      const agent = await connectAgent(hub, project.id, `agent-${item.number}`);
      await agent.call('item.claim', { id: item.id });
      agent.close();
    }
    await board.page.getByRole('link', { name: 'and 1 more' }).click();
    await seen(board.page.getByRole('region', { name: 'Stale' }).getByRole('article', { name: 'agent-7' }));
  });

  test('one that is called as a choice of the filter is a choice of its own', async () => {
    const project = await newProject(hub);
    await make(hub, project.id);
    await connectAgent(hub, project.id, 'Any');
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.text('1 agent'));
    for (const [screen, ...unique] of [
      ['Board', 'searchbox', 'Search'],
      ['Activity', 'list', 'Lines of the log'],
    ] as const) {
      await board.page.getByRole('link', { name: screen, exact: true }).click();
      await seen(board.page.getByRole(unique[0], { name: unique[1] }));
      await board.page.getByRole('button', { name: /^Agent/ }).click();
      await board.page.getByRole('menuitemradio', { name: 'Any' }).last().click();
      await board.page.waitForURL('**?agent=Any');
    }
  });

  test('of many those at the top are shown, and the others as one comes to them', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      Array.from({ length: 130 }, () => ({})),
    );
    await Promise.all(
      items.map((item) => httpAgent(hub, `agent-${String(item.number).padStart(3, '0')}`).claim(item.id)),
    );
    const board = await openBoard(browser(), hub, `/p/${project.name}/agents`);
    const cards = board.page.getByRole('article');
    await seen(cards);
    expect(await cards.count()).toBe(60);
    await board.page.getByRole('region', { name: 'Agents', exact: true }).press('End');
    await seen(board.text('Show more: 10 are left'));
    await board.page.getByRole('region', { name: 'Agents', exact: true }).press('End');
    await seen(cards.filter({ hasText: 'agent-130' }));
    expect(await cards.count()).toBe(130);
  });
});

describe('conflicts', () => {
  test('a file, the items that share it, their agents; modified before planned; all clear', async () => {
    const project = await newProject(hub);
    const items = await makeAll(hub, project.id, [
      { title: 'First', files_planned: ['a.ts', 'b.ts'] },
      { title: 'Second', files_planned: ['a.ts', 'b.ts'] },
      { title: 'Third', files_planned: ['a.ts'] },
    ]);
    const board = await openBoard(browser(), hub, `/p/${project.name}/conflicts`);
    await seen(board.page.getByRole('heading', { name: 'All clear' }));
    const agents = ['anna', 'ben', 'cleo'].map((name) => httpAgent(hub, name));
    for (const [at, agent] of agents.entries()) await agent.claim(items[at]!.id);
    const sharing = board.page.getByRole('list', { name: 'Items that share a.ts' });
    await seen(sharing.getByText('cleo'));
    expect(await sharing.getByRole('link').allTextContents()).toEqual(['#1 First', '#2 Second', '#3 Third']);
    await agents[0]!.files(items[0]!.id, 1, ['b.ts']);
    await seen(board.text('modified').and(board.page.locator('span')));
    await expect.poll(() => board.page.locator('main code').allTextContents()).toEqual(['b.ts', 'a.ts']);
    for (const [at, agent] of agents.entries()) await agent.complete(items[at]!.id, 1);
    await seen(board.page.getByRole('heading', { name: 'All clear' }));
  });
});

describe('activity', () => {
  test('goes on at the top, but not under the pointer', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, `/p/${project.name}/activity`);
    await seen(board.text('Nothing has happened yet'));
    await make(hub, project.id, { title: 'First' });
    await seen(lines(board).getByRole('link', { name: '#1 First' }));
    await lines(board).first().hover();
    await board.page.mouse.move(300, 300);
    await make(hub, project.id, { title: 'Second' });
    await board.page.getByRole('button', { name: '+1 line' }).waitFor();
    expect(await lines(board).count()).toBe(1);
    await board.page.mouse.move(1, 1);
    await seen(lines(board).getByRole('link', { name: '#2 Second' }));
  });

  test('filters by what, agent and item stand in the address, and a reload keeps them', async () => {
    const project = await newProject(hub);
    const [one, two] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
    await finish(hub, one!.id, 'anna');
    await breakDown(hub, two!.id, 'ben');
    const board = await openBoard(browser(), hub, `/p/${project.name}/activity`);
    await expect.poll(() => lines(board).count()).toBe(6);
    await board.page.getByRole('button', { name: 'Agent' }).click();
    await board.page.getByRole('menuitemradio', { name: 'ben' }).click();
    await expect.poll(() => lines(board).count()).toBe(2);
    await board.page.getByRole('button', { name: 'What' }).click();
    await board.page.getByRole('menuitemradio', { name: 'item failed' }).click();
    await expect.poll(() => lines(board).count()).toBe(1);
    await board.page.reload();
    await board.live();
    await seen(lines(board).getByText('failed: broke it'));
    expect(new URL(board.page.url()).search).toBe('?agent=ben&event=item.failed');
    await board.page.getByRole('button', { name: 'Clear' }).click();
    await board.page.keyboard.press('/');
    await board.page.keyboard.type('#1');
    await expect.poll(() => lines(board).count()).toBe(3);
    await board.page.mouse.move(1, 1);
    await make(hub, project.id, { title: 'Third' });
    await httpAgent(hub, 'cleo').next(project.id);
    await call(hub, 'item.update', { id: one!.id, description: 'More' });
    await seen(lines(board).getByText('changed description'));
    expect(await lines(board).count()).toBe(4);
  });

  test('a filter finds what lies far back in a long log', async () => {
    const project = await newProject(hub);
    await finish(hub, (await make(hub, project.id, { title: 'Long ago' })).id, 'anna');
    const { project: now } = await call(hub, 'project.get', { project: project.id });
    await lengthenLog(hub, now, 2 * limits.eventsScanMax + now.last_seq);
    const board = await openBoard(browser(), hub, `/p/${project.name}/activity?agent=anna`);
    await seen(lines(board).getByText('claimed, attempt 1'));
    expect(await lines(board).count()).toBe(2);
    await board.page.getByRole('button', { name: 'Clear' }).click();
    await seen(lines(board).getByText('somebody'));
    await board.page.keyboard.press('/');
    await board.page.keyboard.type('#1');
    await seen(lines(board).getByText('created'));
    expect(await lines(board).count()).toBe(3);
  });

  test('is read back as it is scrolled, and names items that no window holds', async () => {
    const project = await newProject(hub);
    const made = 550;
    const titles = Array.from({ length: made }, (_, at) => ({ title: `Item ${at + 1}`, priority: 9 }));
    await makeAll(hub, project.id, titles);
    await makeAll(hub, project.id, titles);
    const board = await openBoard(browser(), hub, `/p/${project.name}/activity`);
    await seen(lines(board).getByRole('link', { name: '#1100 Item 550' }));
    const list = board.page.getByRole('list', { name: 'Lines of the log' });
    const heights = () => list.evaluate((one) => one.scrollHeight);
    const first = await heights();
    expect(first).toBeLessThan(1_000 * 30);
    await list.hover();
    await expect
      .poll(
        async () => {
          await list.evaluate((one) => one.scrollTo(0, one.scrollHeight));
          return lines(board).getByRole('link', { name: '#1 Item 1', exact: true }).count();
        },
        { timeout: 15_000 },
      )
      .toBe(1);
    await gone(board.text('back to line'));
  });
});
