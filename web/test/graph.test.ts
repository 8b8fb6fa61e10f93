import type { Item } from '@switchyard/shared/item';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { finish, httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

/**
 * As backlogs are: three epics of eight tasks, each task after the one before it, the second and third epic after the
 * first's last task; numbers 1, 10 and 19 are the epics.
 */
async function backlog() {
  const project = await newProject(hub);
  const epics = [0, 1, 2].flatMap((epic) => [
    { ref: `e${epic}`, title: `Epic ${epic}`, task_type: 'epic' },
    ...Array.from({ length: 8 }, (_, n) => ({
      ref: `${epic}.${n}`,
      title: `Task ${n} of epic ${epic}, with a title that is too long to be shown whole on a small card`,
      parent_item_id: `e${epic}`,
      priority: n % 5,
      dependencies: [...(n > 0 ? [`${epic}.${n - 1}`] : []), ...(n === 0 && epic > 0 ? ['0.7'] : [])],
    })),
  ]);
  const items = await makeAll(hub, project.id, epics);
  const of = (number: number) => items[number - 1]!;
  return { project, items, of, path: `/p/${project.name}/graph` };
}

const card = (board: Board, item: Item) => board.page.locator(`.canvas [data-item="${item.id}"]`);
const link = (board: Board, from: Item, to: Item) =>
  board.page.locator(`.svelte-flow__edge[data-id="${from.id} ${to.id}"]`);
const placed = (board: Board, count: number) => seen(board.page.locator(`[data-placed="${count}"]`));
const hasClass = (locator: Locator, name: string) =>
  expect.poll(() => locator.getAttribute('class')).toContain(name);
const parameter = (board: Board, name: string) => new URL(board.page.url()).searchParams.get(name);
/** Where the cards stand in the graph, whatever part of it is seen. */
const places = (board: Board) =>
  board.page
    .locator('.svelte-flow__node')
    .evaluateAll((nodes) => nodes.map((node) => (node as HTMLElement).style.transform));

describe('choosing what to look at', () => {
  test('starts with what holds back most; a search finds any other', async () => {
    const { of, path } = await backlog();
    const board = await openBoard(browser(), hub, path);
    const first = board.page.getByRole('region', { name: 'Where to start' }).getByRole('listitem').first();
    // Two tasks of other epics wait for it, and its own epic.
    expect(await first.innerText()).toMatch(/#9 Task 7 of epic 0[\s\S]*holds back 3/);
    await board.page.keyboard.press('/');
    await board.page.keyboard.type('Epic 2');
    await board.page.getByRole('link', { name: '#19 Epic 2' }).click();
    await seen(card(board, of(19)));
    await expect.poll(() => parameter(board, 'centre')).toBe('19');
  });

  test('the item in the address is the centre; a press opens another, two make it the centre', async () => {
    const { of, path } = await backlog();
    const board = await openBoard(browser(), hub, `${path}?item=9&depth=1`);
    // Before it task 6, after it its epic and the first tasks of the other two.
    await placed(board, 5);
    await seen(board.panel(9));
    await card(board, of(8)).click();
    await seen(board.panel(8));
    await placed(board, 5);
    expect(parameter(board, 'centre')).toBe('9');
    await card(board, of(8)).dblclick();
    await hasClass(card(board, of(8)), 'centre');
    await placed(board, 4);
    await board.page.getByRole('button', { name: '2', exact: true }).click();
    await placed(board, 7);
    await board.page.reload();
    await board.live();
    await placed(board, 7);
    await hasClass(card(board, of(8)), 'centre');
  });

  test('no such item is said', async () => {
    const { path } = await backlog();
    const board = await openBoard(browser(), hub, `${path}?centre=999`);
    await seen(board.text('There is no item #999 in this project.'));
  });

  test('without links it says what they are', async () => {
    const project = await newProject(hub);
    await make(hub, project.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}/graph`);
    await seen(board.text('Nothing waits for anything'));
  });
});

describe('live', () => {
  test('a status changes in place, and with it the links and the critical path', async () => {
    const { of, path } = await backlog();
    const board = await openBoard(browser(), hub, `${path}?centre=3&depth=1`);
    await placed(board, 4);
    await hasClass(link(board, of(2), of(3)), 'holds critical');
    const before = await places(board);
    await httpAgent(hub, 'anna').claim(of(2).id);
    await seen(card(board, of(2)).getByText('anna'));
    await seen(card(board, of(2)).getByText('claimed'));
    await httpAgent(hub, 'anna').complete(of(2).id, 1);
    await hasClass(link(board, of(2), of(3)), 'satisfied');
    await seen(card(board, of(2)).getByText('done'));
    expect(await link(board, of(2), of(3)).getAttribute('class')).not.toContain('critical');
    await hasClass(link(board, of(3), of(4)), 'critical');
    expect(await places(board)).toEqual(before);
    expect(await board.page.getByRole('button', { name: /change/ }).count()).toBe(0);
  });

  test('links that come are counted, and drawn when asked for', async () => {
    const { project, of, path } = await backlog();
    const board = await openBoard(browser(), hub, `${path}?centre=3&depth=1`);
    await placed(board, 4);
    const before = await places(board);
    const more = await make(hub, project.id, { title: 'More', dependencies: [of(3).id] });
    await make(hub, project.id, { title: 'Elsewhere' });
    await call(hub, 'item.update', { id: of(12).id, dependencies: [of(3).id] });
    await seen(board.page.getByRole('button', { name: '+2 changes' }));
    expect(await places(board)).toEqual(before);
    await board.page.keyboard.press('.');
    await placed(board, 6);
    await seen(card(board, more));
    await gone(board.page.getByRole('button', { name: /change/ }));
  });
});

test('by keyboard alone: along the links, into a panel, and on to another centre', async () => {
  const { of, path } = await backlog();
  const board = await openBoard(browser(), hub, `${path}?centre=3&depth=1`);
  const { keyboard } = board.page;
  const focused = (item: Item) => seen(board.page.locator(`.canvas a[data-item="${item.id}"]:focus`));
  await placed(board, 4);
  await focused(of(3));
  await keyboard.press('ArrowLeft');
  await focused(of(2));
  await keyboard.press('l');
  await focused(of(3));
  await keyboard.press('l');
  await focused(of(4));
  await keyboard.press('Enter');
  await seen(board.panel(4));
  await keyboard.press('Escape');
  await gone(board.panel(4));
  await keyboard.press('m');
  await expect.poll(() => parameter(board, 'centre')).toBe('4');
  await placed(board, 4);
  await focused(of(4));
  await keyboard.press('f');
  await keyboard.press('v');
  await seen(board.page.getByRole('region', { name: 'Graph as a list' }));
});

describe('within bounds', () => {
  test('of 1,000 items 300 are shown, and it says so', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      Array.from({ length: 1_000 }, (_, n) => ({
        ref: `r${n}`,
        title: `Step ${n}`,
        ...(n > 0 ? { dependencies: [...new Set([`r${Math.floor((n - 1) / 3)}`, `r${n - 1}`])] } : {}),
      })),
    );
    const board = await openBoard(browser(), hub, `/p/${project.name}/graph?centre=500&depth=all`);
    await placed(board, 300);
    await seen(board.text('showing 300 of 1,000'));
    await finish(hub, items[0]!.id);
    await board.page.getByRole('button', { name: '1', exact: true }).click();
    await seen(board.page.getByRole('status').filter({ hasText: /^\d items$/ }));
  });

  test('the board does not load what only the graph needs', async () => {
    const { project, path } = await backlog();
    const board = await openBoard(browser(), hub, '/');
    let files = new Set<string>();
    board.page.on('request', (request) => {
      if (request.url().endsWith('.js')) files.add(request.url());
    });
    const loaded = async () => {
      await board.page.waitForLoadState('networkidle');
      const texts = await Promise.all([...files].map(async (url) => (await fetch(url)).text()));
      return texts.filter((text) => text.includes('svelte-flow__')).length;
    };
    await board.page.goto(`${hub.url}/p/${project.name}`);
    await board.live();
    expect(await loaded()).toBe(0);
    files = new Set();
    await board.page.goto(`${hub.url}${path}?centre=9`);
    await seen(board.page.locator('.canvas'));
    expect(await loaded()).toBeGreaterThan(0);
  });
});

describe('for everybody', () => {
  test('axe finds nothing: start, graph with a panel, list', async () => {
    const { of, path } = await backlog();
    await finish(hub, of(2).id);
    const board = await openBoard(browser(), hub, path);
    await seen(board.text('What holds back most'));
    expect(await board.violations()).toEqual([]);
    await board.page.getByRole('link', { name: /^#9 / }).click();
    await placed(board, 10);
    await card(board, of(9)).click();
    await seen(board.panel(9));
    expect(await board.violations()).toEqual([]);
    await board.page.getByRole('button', { name: 'List' }).click();
    await seen(board.page.getByRole('region', { name: 'Graph as a list' }));
    expect(await board.violations()).toEqual([]);
  });

  test('on a phone it is a list, in order, and nothing is wider than the page', async () => {
    const { of, path } = await backlog();
    await finish(hub, of(2).id);
    const board = await openBoard(browser(), hub, `${path}?centre=4&depth=2`, { width: 390 });
    const rows = (name: string) => board.page.getByRole('region', { name, exact: true }).getByRole('link');
    await seen(rows('waits for'));
    const numbers = async (name: string) =>
      (await rows(name).allInnerTexts()).map((text) => Number(/^#(\d+)/.exec(text)![1]));
    expect(await numbers('waits for')).toEqual([3, 2]);
    expect((await numbers('is waited for by')).toSorted((a, b) => a - b)).toEqual([1, 5, 6]);
    expect(await board.page.locator('.canvas').count()).toBe(0);
    expect(await board.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await board.violations()).toEqual([]);
    await board.page.getByRole('button', { name: 'Centre on #2' }).click();
    await expect.poll(() => numbers('waits for')).toEqual([]);
  });
});
