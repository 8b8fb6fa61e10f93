import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { breakDown, finish, httpAgent, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser } from './setup/board.ts';

let hub: TestHub;
let busy: string;
let quiet: string;
beforeAll(async () => {
  hub = await startTestHub();
  quiet = (await newProject(hub, { description: 'Nothing to do here' })).name;
  busy = await makeBusy();
});
afterAll(() => hub.stop());
const browser = useBrowser();

/** A project with something of everything. */
async function makeBusy(): Promise<string> {
  const project = await newProject(hub);
  const items = await makeAll(hub, project.id, [
    { ref: 'a', title: 'First', task_type: 'bug', priority: 0, files_planned: ['src/a.ts'] },
    { title: 'Second', files_planned: ['src/a.ts'], description: 'With words' },
    { title: 'Third', dependencies: ['a'] },
    { title: 'Fourth' },
    { title: 'Fifth' },
  ]);
  await httpAgent(hub, 'anna').claim(items[0]!.id);
  await httpAgent(hub, 'anna').heartbeat(items[0]!.id, 1, { progress: 40, note: 'half way' });
  await httpAgent(hub, 'ben').claim(items[1]!.id);
  await httpAgent(hub, 'ben').files(items[1]!.id, 1, ['src/a.ts']);
  await breakDown(hub, items[3]!.id);
  await finish(hub, items[4]!.id);
  return project.name;
}

const screens: [path: string, label: string][] = [
  ['agents', 'Here'],
  ['conflicts', 'Items that share src/a.ts'],
  ['activity', 'Lines of the log'],
  ['items/1', 'Claim'],
  ['items/4', 'Item #4'],
];

describe('axe finds nothing', () => {
  test('at agents, conflicts, the log and items', async () => {
    const board = await openBoard(browser(), hub, `/p/${busy}/agents`);
    for (const [path, label] of screens) {
      await board.page.goto(`${hub.url}/p/${busy}/${path}`);
      await seen(board.page.getByLabel(label));
      if (path === 'agents')
        await board.page.getByRole('button', { name: 'What it did lately' }).first().click();
      expect([path, await board.violations()]).toEqual([path, []]);
    }
  });

  test('where there is nothing yet', async () => {
    const board = await openBoard(browser(), hub, `/p/${quiet}`);
    for (const path of ['', '/agents', '/conflicts', '/activity']) {
      await board.page.goto(`${hub.url}/p/${quiet}${path}`);
      const words = /^(No items yet|No agent has connected yet|No two claimed|Nothing has happened)/;
      await seen(board.page.getByText(words));
      expect([path, await board.violations()]).toEqual([path, []]);
    }
  });

  test('in menus and tooltips, and where something is not there', async () => {
    const board = await openBoard(browser(), hub, `/p/${busy}`);
    for (const name of [/^Project:/, 'Type', 'Agent', 'Priority']) {
      const button = board.page.getByRole('button', { name }).first();
      await button.click();
      await seen(board.page.getByRole('menu'));
      expect([name, await board.violations()]).toEqual([name, []]);
      await board.page.keyboard.press('Escape');
      await gone(board.page.getByRole('menu'));
    }
    await board.page.keyboard.press('p');
    await board.page.getByRole('button', { name: 'Light or dark' }).focus();
    expect(await board.violations()).toEqual([]);
    const missing: [path: string, words: string | RegExp][] = [
      [`/p/${busy}/items/999`, 'There is no item #999'],
      [`/p/${busy}?item=999`, 'There is no item #999'],
      ['/p/none-of-that-name', /none-of-that-name|no such|not found/i],
      ['/nowhere', 'There is no such page'],
    ];
    for (const [path, words] of missing) {
      await board.page.goto(`${hub.url}${path}`);
      await seen(board.page.locator('main, [role=alert], aside').filter({ hasText: words }));
      expect([path, await board.violations()]).toEqual([path, []]);
    }
  });

  test('on a phone, on every screen', async () => {
    const board = await openBoard(browser(), hub, `/p/${busy}`, { width: 390 });
    for (const path of ['', '/list', '/graph?centre=1', '/agents', '/conflicts', '/activity', '/items/1']) {
      await board.page.goto(`${hub.url}/p/${busy}${path}`);
      await board.live();
      await seen(board.page.locator('main').getByText(path === '/agents' ? 'anna' : 'First'));
      expect([path, await board.violations()]).toEqual([path, []]);
    }
  });

  test('in the dialog that cancels, and in what is said of it afterwards', async () => {
    const project = await newProject(hub);
    const [item] = await makeAll(hub, project.id, [{ title: 'A race' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
    await board.panel(1).getByRole('button', { name: 'Cancel…' }).click();
    await seen(board.page.getByRole('dialog', { name: 'Cancel #1?' }));
    expect(await board.violations()).toEqual([]);
    await finish(hub, item!.id, 'agent-3');
    await board.page.getByRole('button', { name: 'Cancel the item' }).click();
    await seen(board.text('Could not cancel #1: agent-3 finished it first.'));
    expect(await board.violations()).toEqual([]);
  });

  test('at home, and where one signs in', async () => {
    const board = await openBoard(browser(), hub, '/');
    await seen(board.page.getByRole('navigation', { name: 'Projects' }));
    expect(await board.violations()).toEqual([]);
    await board.page.getByRole('button', { name: 'Sign out' }).click();
    await seen(board.page.getByLabel('Token'));
    expect(await board.violations()).toEqual([]);
  });
});
