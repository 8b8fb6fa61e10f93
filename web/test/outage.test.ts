// The hub is killed and comes back while the board is looked at.
import type { Status } from '@switchyard/shared/item';
import { expect, test } from 'vitest';
import { newProject } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { breakDown, finish, get, httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { itemsOf, logOf } from '../../server/test/setup/steps.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';
import { mortalHubs } from './setup/mortal.ts';

const browser = useBrowser();
const columns = {
  todo: 'Todo',
  claimed: 'Claimed',
  failed: 'Failed',
  done: 'Done',
  cancelled: 'Cancelled',
} as const;

/** The titles in each column, sorted. */
async function shownOn(board: Board): Promise<Record<string, string[]>> {
  const entries = Object.entries(columns).map(async ([status, label]) => {
    const titles = await board.column(label).locator('.card a.title').allTextContents();
    return [status, titles.toSorted()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

test('a hub that is killed and comes back: pill, banner, dimmed data, and nothing missing', async () => {
  const hubs = await mortalHubs();
  const [hub, other] = await Promise.all([hubs.start(), hubs.start()]);
  const project = await newProject(hub);
  const items = await makeAll(
    hub,
    project.id,
    ['Done', 'Failed', 'Claimed', 'Cancelled here', 'Changed', 'Left'].map((title) => ({ title })),
  );
  const [toFinish, toBreak, toClaim, toCancel, toChange, left] = items;
  const board = await openBoard(browser(), hub, `/p/${project.name}?show=done,cancelled&item=4`);
  await seen(board.card(left!));
  await seen(board.panel(4));
  await hub.end('SIGKILL');
  await board.state('reconnecting');
  await seen(board.text(/What you see is \d+s old/));
  await seen(board.card(toFinish!));
  expect(await board.page.locator('main').evaluate((main) => getComputedStyle(main).filter)).toBe(
    'grayscale(1)',
  );
  expect(await board.violations()).toEqual([]);
  // Meanwhile the project goes on at another hub, and the person at the board asks for something.
  await board.panel(4).getByRole('button', { name: 'Cancel…' }).click();
  await board.page.getByRole('button', { name: 'Cancel the item' }).click();
  await seen(board.card(toCancel!).getByText('cancelling…'));
  await finish(other, toFinish!.id);
  await breakDown(other, toBreak!.id);
  await httpAgent(other, 'anna').claim(toClaim!.id);
  await httpAgent(other, 'ben').claim(toChange!.id);
  await httpAgent(other, 'ben').release(toChange!.id, 1);
  await make(other, project.id, { title: 'New' });
  expect((await get(other, toCancel!.id)).status).toBe('todo');
  await hubs.start({ port: hub.port });
  await board.live();
  await gone(board.text(/What you see is/));
  await until('the cancel came to pass', async () => (await get(other, toCancel!.id)).status === 'cancelled');
  const now = await itemsOf(other, project);
  const titlesOf = (status: Status) =>
    now
      .filter((item) => item.status === status)
      .map(({ title }) => title)
      .toSorted();
  const truth = Object.fromEntries(
    Object.keys(columns).map((status) => [status, titlesOf(status as Status)]),
  );
  expect(truth).toMatchObject({
    claimed: ['Claimed'],
    failed: ['Failed'],
    done: ['Done'],
    todo: ['Changed', 'Left', 'New'],
  });
  // The pointer was last over the dialog's button: nothing is held.
  await board.page.mouse.move(1, 1);
  await expect.poll(() => shownOn(board)).toEqual(truth);
  await seen(board.text('1/6 done'));
  const log = await logOf(other, project);
  expect(log.filter(({ type }) => type === 'item.cancelled')).toHaveLength(1);
  await seen(board.text(`seq ${log.length}`));
  await finish(other, left!.id);
  await seen(board.column('Done').getByText('Left'));
});

test('a banner comes after a second and a half, and says how old is what is shown', async () => {
  const hubs = await mortalHubs();
  const hub = await hubs.start();
  const project = await newProject(hub);
  const item = await make(hub, project.id, { title: 'First' });
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  const banner = board.page.getByRole('alert').filter({ hasText: 'No connection to the hub' });
  await board.page.clock.install();
  await board.page.reload();
  await board.live();
  await seen(board.card(item));
  // A little ahead: it cannot be set back.
  await board.page.clock.pauseAt(new Date(Date.now() + 1_000));
  await board.page.clock.runFor(5_000);
  await board.live();
  await hub.end('SIGKILL');
  await board.state('reconnecting');
  await board.page.clock.runFor(1_400);
  expect(await banner.count()).toBe(0);
  await board.page.clock.runFor(200);
  await seen(banner);
  await board.page.clock.runFor(1_000);
  // It was current until the connection was lost, however long it has been shown.
  await seen(board.text(/What you see is [2-4]s old/));
  // Those who listen hear it once, not every second.
  expect(await banner.textContent()).toBe('No connection to the hub.');
  await board.page.clock.runFor(15_000);
  await board.state('offline');
  await hubs.start({ port: hub.port });
  await board.page.clock.resume();
  await board.live();
  await gone(banner);
});
