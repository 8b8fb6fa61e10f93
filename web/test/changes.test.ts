// What two people see of each other, what is said aloud, and what moves.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { finish, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const countTints = (board: Board) =>
  board.page.evaluate(() => {
    const page = window as unknown as { tints: number };
    const elements = Element.prototype as { animate: (...how: never[]) => unknown };
    page.tints = 0;
    elements.animate = new Proxy(elements.animate, {
      apply(animate, element, how) {
        page.tints++;
        return Reflect.apply(animate, element, how) as unknown;
      },
    });
  });
const tintsOf = (board: Board) => board.page.evaluate(() => (window as unknown as { tints: number }).tints);

test('two browsers see what the other does', async () => {
  const project = await newProject(hub);
  const item = await make(hub, project.id, { title: 'Shared' });
  const one = await openBoard(browser(), hub, `/p/${project.name}?show=cancelled&item=1`);
  const other = await openBoard(browser(), hub, `/p/${project.name}?show=cancelled`);
  await seen(other.card(item));
  await one.page.keyboard.press('j');
  await one.page.keyboard.press('2');
  await seen(other.card(item).getByText('P2'));
  await seen(one.card(item).getByText('P2'));
  await other.card(item).getByRole('link').click();
  await other.panel(1).getByRole('button', { name: 'Cancel…' }).click();
  await other.page.getByRole('button', { name: 'Cancel the item' }).click();
  await seen(one.panel(1).getByText('cancelled', { exact: true }));
  await one.panel(1).getByRole('button', { name: 'Retry' }).click();
  await seen(other.panel(1).getByText('ready', { exact: true }));
});

test('a summary is said aloud, at most every ten seconds', async () => {
  const project = await newProject(hub);
  const items = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await board.page.clock.install();
  await board.page.reload();
  await board.live();
  const said = board.page.locator('p[aria-live=polite]');
  await finish(hub, items[0]!.id);
  await seen(board.text('1/2 done'));
  expect(await said.textContent()).toBe('');
  await board.page.clock.fastForward(10_000);
  await expect.poll(() => said.textContent()).toBe('2 changes. 1 of 2 done, 0 in work, 0 failed. All clear.');
  await finish(hub, items[1]!.id);
  await seen(board.text('2/2 done'));
  await board.page.clock.fastForward(5_000);
  expect(await said.textContent()).toMatch(/1 of 2 done/);
  await board.page.clock.fastForward(5_000);
  await expect.poll(() => said.textContent()).toMatch(/^2 changes\. 2 of 2 done/);
});

test('a newer board on the hub is offered, and is there after a reload', async () => {
  const project = await newProject(hub);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await board.page.clock.install();
  await board.page.reload();
  await board.live();
  // The page knows which version it is: while the hub serves the same, nothing is offered.
  const asked = board.page.waitForResponse('**/_app/version.json');
  await board.page.clock.fastForward(60_000);
  await (await asked).finished();
  await board.live();
  expect(await board.text('The hub serves a newer board').count()).toBe(0);
  await board.page.route('**/_app/version.json', (route) => route.fulfill({ json: { version: 'newer' } }));
  await board.page.clock.fastForward(60_000);
  await seen(board.text('The hub serves a newer board'));
  // The clock's leap looks like silence of the hub.
  await board.live();
  expect(await board.violations()).toEqual([]);
  await board.page.unroute('**/_app/version.json');
  await board.page.getByRole('button', { name: 'Reload' }).click();
  await gone(board.text('The hub serves a newer board'));
  await board.live();
});

test.each([
  [true, 1],
  [false, 0],
])('what changed is tinted once, but not where motion is reduced (moves: %s)', async (motion, tints) => {
  const project = await newProject(hub);
  const item = await make(hub, project.id, { title: 'Watched' });
  const board = await openBoard(browser(), hub, `/p/${project.name}`, { motion });
  await seen(board.card(item));
  await countTints(board);
  await call(hub, 'item.update', { id: item.id, title: 'Changed' });
  await seen(board.card(item).getByText('Changed'));
  expect(await tintsOf(board)).toBe(tints);
});

test('above twenty changes a second nothing is tinted any more', async () => {
  const project = await newProject(hub);
  const items = await makeAll(
    hub,
    project.id,
    Array.from({ length: 40 }, (_, at) => ({ title: `Item ${at + 1}`, priority: 5 })),
  );
  const board = await openBoard(browser(), hub, `/p/${project.name}`, { motion: true });
  const { clock } = board.page;
  await clock.install();
  await board.page.reload();
  await board.live();
  await seen(board.card(items[0]!));
  // From here on the page's time goes on by single frames: all that follows lies within one second of it.
  await clock.pauseAt(new Date(Date.now() + 1_000));
  const shows = (text: string) =>
    expect
      .poll(async () => {
        await clock.runFor(16);
        return board.card(items[0]!).textContent();
      })
      .toContain(text);
  await call(hub, 'items.bulk', {
    project: project.id,
    action: 'set_priority',
    priority: 4,
    filter: { status: ['todo'] },
    expected_count: 40,
  });
  await shows('P4');
  await countTints(board);
  await call(hub, 'item.update', { id: items[0]!.id, title: 'Changed' });
  await shows('Changed');
  expect(await tintsOf(board)).toBe(0);
});

test('a long column is read on as it is scrolled, to its end', async () => {
  const project = await newProject(hub);
  const titles = Array.from({ length: 450 }, (_, at) => ({ title: `Item ${at + 1}` }));
  const items = await makeAll(hub, project.id, titles);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  const list = board.column('Todo').getByRole('list');
  await seen(board.card(items[0]!));
  await expect
    .poll(
      async () => {
        await list.evaluate((one) => one.scrollTo(0, one.scrollHeight));
        return board.card(items.at(-1)!).count();
      },
      { timeout: 15_000 },
    )
    .toBe(1);
  // And it stays live there: the last one goes when it is done.
  await board.page.mouse.move(1, 1);
  await finish(hub, items.at(-1)!.id);
  await gone(board.card(items.at(-1)!));
});

test('on a phone, tabs beyond the edge are hinted at, and the current one is in view', async () => {
  const project = await newProject(hub);
  const board = await openBoard(browser(), hub, `/p/${project.name}/activity`, { width: 320 });
  const tab = board.page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Activity' });
  const within = () =>
    tab.evaluate((one) => {
      const [tab, all] = [one.getBoundingClientRect(), one.parentElement!.getBoundingClientRect()];
      return tab.right <= all.right + 1 && tab.left >= all.left - 1;
    });
  await expect.poll(within).toBe(true);
  const mask = () => tab.evaluate((one) => getComputedStyle(one.parentElement!).maskImage);
  expect(await mask()).toContain('gradient');
  await board.page.setViewportSize({ width: 390, height: 800 });
  await expect.poll(mask).toBe('none');
});
