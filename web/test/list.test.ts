import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { breakDown, eventsOf, finish, get, httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const openList = (project: { name: string }, query = '', options = {}) =>
  openBoard(browser(), hub, `/p/${project.name}/list${query}`, options);
const row = (board: Board, item: { id: string }) => board.page.locator(`.row[data-item="${item.id}"]`);
const press = async (board: Board, ...keys: string[]) => {
  for (const key of keys) await board.page.keyboard.press(key);
};
/** Numbers of the rows that are drawn, from above. */
const numbers = (board: Board) =>
  board.page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('.row')]
      .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
      .map((one) => Number(one.querySelector('[data-col=number]')?.textContent.replace('#', ''))),
  );
const many = (count: number, of: (n: number) => Record<string, unknown>) =>
  Array.from({ length: count }, (_, n) => ({ title: `Item ${n + 1}`, ...of(n) }));

describe('all that match', () => {
  test('more than a page is cancelled at once, and what was passed over is said', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      many(260, (n) => ({ task_type: n < 230 ? 'bug' : 'docs' })),
    );
    for (const n of [3, 4]) await finish(hub, items[n]!.id);
    const board = await openList(project, '?type=bug&sort=number');
    await seen(board.text('230 items'));
    await board.page.getByRole('checkbox', { name: 'Select all that match' }).click();
    await seen(board.text('All 230 that match'));
    await board.page.getByRole('button', { name: 'Cancel…' }).click();
    const dialog = board.page.getByRole('dialog', { name: 'Cancel 230 items?' });
    await dialog.getByLabel(/Reason/).fill('not needed');
    await dialog.getByRole('button', { name: 'Cancel 230 items' }).click();
    await seen(board.text('228 items cancelled.'));
    await seen(board.text('2 items passed over: over already.'));
    const cancelled = await eventsOf(hub, project.id, 'item.cancelled');
    expect(cancelled.length).toBe(228);
    expect(cancelled[0]?.data.reason).toBe('not needed');
    const { total } = await call(hub, 'item.list', { project: project.id, status: ['todo'] });
    expect(total).toBe(30);
  });

  test('one question says what becomes of what waits for any of them, and what went along is counted apart', async () => {
    const project = await newProject(hub);
    const items = await makeAll(hub, project.id, [
      ...many(3, (n) => ({ ref: `r${n}`, task_type: 'bug' })),
      { ref: 'next', title: 'Next', dependencies: ['r2'] },
      { title: 'Last', dependencies: ['next'] },
      { title: 'Free' },
    ]);
    const board = await openList(project, '?type=bug');
    await seen(board.text('3 items'));
    await press(board, 'a', 'Backspace');
    const dialog = board.page.getByRole('dialog', { name: 'Cancel 3 items?' });
    await dialog.getByLabel('Cancel them too').click();
    await dialog.getByRole('button', { name: 'Cancel 3 items' }).click();
    await seen(board.text('3 items cancelled, and 2 items that waited for them.'));
    const now = await Promise.all(items.map(({ id }) => get(hub, id)));
    expect(now.map(({ status }) => status)).toEqual([...Array<string>(5).fill('cancelled'), 'todo']);
    // Asked again, the answer of the last time is not the default.
    await call(hub, 'items.bulk', { project: project.id, action: 'retry', filter: {} });
    await seen(board.text('3 items'));
    await press(board, 'a', 'Backspace');
    expect(await dialog.getByLabel('Leave them waiting').isChecked()).toBe(true);
  });

  test('nothing is done if another number matches by then; the question is put anew', async () => {
    const project = await newProject(hub);
    await makeAll(
      hub,
      project.id,
      many(120, () => ({ task_type: 'bug' })),
    );
    const board = await openList(project, '?type=bug');
    await seen(board.text('120 items'));
    await press(board, 'a', '1');
    const dialog = board.page.getByRole('dialog');
    await seen(dialog.getByRole('heading', { name: 'Set 120 items to P1?' }));
    await make(hub, project.id, { task_type: 'bug' });
    await dialog.getByRole('button', { name: 'Set 120 items to P1' }).click();
    await seen(dialog.getByText('Nothing was done: another number matches by now, 121 items.'));
    expect((await call(hub, 'item.list', { project: project.id, priority: 1 })).total).toBe(0);
    await dialog.getByRole('button', { name: 'Set 121 items to P1' }).click();
    await seen(board.text('121 items set to P1.'));
    expect((await call(hub, 'item.list', { project: project.id, priority: 1 })).total).toBe(121);
  });
});

describe('some', () => {
  test('out of all that match one is taken: the others stay selected', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      many(4, () => ({})),
    );
    const board = await openList(project, '?sort=number');
    await seen(row(board, items[3]!));
    await press(board, 'a');
    await seen(board.text('All 4 that match'));
    await row(board, items[1]!).getByRole('checkbox').click();
    await seen(board.text('3 selected'));
    await press(board, '2');
    await until('the others have the priority', async () => {
      const { items: now } = await call(hub, 'item.list', { project: project.id, sort: 'number' });
      return now.map(({ priority }) => priority).join() === '2,5,2,2';
    });
  });

  test('of several of which one is cancelled along with another, none is said to have been refused', async () => {
    const project = await newProject(hub);
    const items = await makeAll(hub, project.id, [
      { ref: 'a', title: 'First' },
      { title: 'Second', dependencies: ['a'] },
    ]);
    const board = await openList(project, '?sort=number');
    await seen(row(board, items[1]!));
    await press(board, 'j', 'x', 'j', 'x', 'Backspace');
    const dialog = board.page.getByRole('dialog', { name: 'Cancel 2 items?' });
    await dialog.getByLabel('Cancel them too').click();
    await dialog.getByRole('button', { name: 'Cancel 2 items' }).click();
    await seen(board.text('2 items cancelled.'));
  });

  test('the count stays right while no window holds all that match', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      many(730, () => ({ task_type: 'bug' })),
    );
    const board = await openList(project, '?status=todo&type=bug&sort=number');
    await seen(board.text('730 items'));
    // Beyond all that is here.
    await finish(hub, items[729]!.id);
    await seen(board.text('729 items'));
  });

  test('a range is selected with shift; one question for all, and what becomes of dependents', async () => {
    const project = await newProject(hub);
    const items = await makeAll(hub, project.id, [
      ...many(6, (n) => ({ ref: `r${n}` })),
      { title: 'Dependent', dependencies: ['r2', 'r3'] },
    ]);
    await call(hub, 'item.update', { id: items[3]!.id, dependencies: [items[2]!.id] });
    const board = await openList(project, '?sort=number');
    await row(board, items[1]!).getByRole('checkbox').click();
    await row(board, items[3]!)
      .getByRole('checkbox')
      .click({ modifiers: ['Shift'] });
    await seen(board.text('3 selected'));
    await board.page.getByRole('button', { name: 'Cancel…' }).click();
    const dialog = board.page.getByRole('dialog', { name: 'Cancel 3 items?' });
    await dialog.getByLabel('Let them go on without it').click();
    await dialog.getByRole('button', { name: 'Cancel 3 items' }).click();
    await seen(board.text('3 items cancelled.'));
    const { items: now } = await call(hub, 'item.list', { project: project.id });
    expect(now.filter((item) => item.status === 'cancelled').map((item) => item.number)).toEqual([2, 3, 4]);
    expect(now[6]).toMatchObject({ number: 7, ready: true, dependencies: [] });
    // Among the selected, who waits for whom stays as it was, for when they are retried.
    expect(now[3]).toMatchObject({ number: 4, dependencies: [items[2]!.id] });
  });

  test('of several on the board, too, there is one question', async () => {
    const project = await newProject(hub);
    const [one, two] = await makeAll(hub, project.id, [{ title: 'One' }, { title: 'Two' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.card(two!));
    await press(board, 'j', 'x', 'j', 'x', 'Backspace');
    await seen(board.page.getByRole('dialog', { name: 'Cancel 2 items?' }));
    expect((await get(hub, one!.id)).status).toBe('todo');
    await press(board, 'Enter');
    await seen(board.text('2 items cancelled.'));
    expect((await get(hub, two!.id)).status).toBe('cancelled');
  });

  test('what could not be done of several is said, with the reason', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      many(3, () => ({})),
    );
    const board = await openList(project);
    await seen(row(board, items[2]!));
    await press(board, 'j', 'x', 'Shift+J', 'Shift+J', 'Backspace');
    const button = board.page.getByRole('button', { name: 'Cancel 3 items' });
    await seen(button);
    await finish(hub, items[0]!.id, 'agent-3');
    await button.click();
    await seen(board.text('2 items cancelled, 1 not.'));
    await seen(board.text('Could not cancel #1: agent-3 finished it first.'));
  });
});

describe('looking', () => {
  test('sort and filters are the hub’s, stand in the address, and a reload comes back to the same rows', async () => {
    const project = await newProject(hub);
    await makeAll(
      hub,
      project.id,
      many(350, (n) => ({
        title: `${n % 2 ? 'Odd' : 'Even'} ${n + 1}`,
        priority: n % 10,
        task_type: n % 3 ? 'bug' : 'docs',
      })),
    );
    const board = await openList(project);
    await seen(board.text('350 items'));
    await board.page.getByRole('searchbox', { name: 'Search' }).fill('odd');
    await seen(board.text('175 items'));
    await board.page.getByRole('button', { name: 'Ready' }).click();
    await board.page.getByRole('button', { name: 'Type' }).first().click();
    await board.page.getByRole('menuitemradio', { name: 'bug' }).click();
    await board.page.getByRole('button', { name: 'Prio', exact: true }).click();
    await board.page.getByRole('button', { name: 'Prio', exact: true }).click();
    await board.page.waitForURL(/sort=-priority/);
    const { items, total } = await call(hub, 'item.list', {
      project: project.id,
      q: 'odd',
      status: 'todo',
      ready: true,
      task_type: 'bug',
      sort: '-priority',
    } as never);
    await seen(board.text(`${total} items`));
    const wanted = items.slice(0, 12).map((item) => item.number);
    const shown = async () => (await numbers(board)).slice(0, 12).join() === wanted.join();
    await until('the hub’s order is shown', shown);
    await press(board, 'j', 'j');
    await seen(board.page.locator('.row a:focus', { hasText: new RegExp(`Odd|Even`) }));
    await press(board, 'Enter');
    await seen(board.panel(wanted[1]!));
    const address = board.page.url();
    await board.page.reload();
    await board.live();
    await until('the same rows are shown', shown);
    await seen(board.panel(wanted[1]!));
    expect(board.page.url()).toBe(address);
    await seen(board.page.locator('[role=columnheader][aria-sort=descending]', { hasText: 'Prio' }));
    await seen(board.page.getByRole('button', { name: 'Ready', pressed: true }));
  });

  test('scrolling on, all come; each dependency shows how it stands, loaded or not', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      many(400, (n) => ({ ref: `r${n}`, ...(n === 399 ? { dependencies: ['r0', 'r1'] } : {}) })),
    );
    await finish(hub, items[0]!.id);
    const board = await openList(project);
    const last = row(board, items[399]!).locator('[data-col=waits]');
    await seen(last.locator('.tone-done', { hasText: 'done' }));
    await seen(last.getByText('#2'));
    await finish(hub, items[1]!.id);
    await seen(last.locator('.tone-done').nth(1));
    await press(board, 'j');
    await until('the first of all has the focus', async () => {
      await press(board, 'PageDown');
      return (await row(board, items[0]!).locator('a:focus').count()) > 0;
    });
  });

  test('rows stay while something is selected, and what would move is counted', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      many(5, () => ({})),
    );
    const board = await openList(project, '?status=todo&sort=number');
    await row(board, items[4]!).getByRole('checkbox').click();
    await finish(hub, items[1]!.id);
    await seen(row(board, items[1]!).getByText('done', { exact: true }));
    await seen(board.page.getByRole('button', { name: '+1 change' }));
    expect(await numbers(board)).toEqual([1, 2, 3, 4, 5]);
    await press(board, '.');
    await gone(row(board, items[1]!));
  });

  test('nothing that matches, and nothing at all, say what to do', async () => {
    const project = await newProject(hub);
    const board = await openList(project);
    await seen(board.text('No items yet'));
    await make(hub, project.id, { title: 'Something' });
    await seen(board.text('Something'));
    await board.page.goto(`${hub.url}/p/${project.name}/list?q=elsewhere&status=failed`);
    await seen(board.text('Nothing matches'));
    await board.page.getByRole('button', { name: 'Clear all filters' }).click();
    await seen(board.text('Something'));
  });
});

test('by keyboard alone: an item is found, opened, reprioritised, cancelled and retried', async () => {
  const project = await newProject(hub);
  const [first, second] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await seen(board.card(first!));
  await press(board, 'g', 'l');
  await seen(row(board, second!));
  await press(board, 'j', 'j');
  await seen(row(board, first!).locator('a:focus'));
  await press(board, 'Enter');
  await seen(board.panel(1));
  await press(board, '7');
  await until('it has the priority', async () => (await get(hub, first!.id)).priority === 7);
  await press(board, 'Backspace');
  await seen(board.page.getByRole('dialog', { name: 'Cancel #1?' }));
  await press(board, 'Enter');
  await until('it is cancelled', async () => (await get(hub, first!.id)).status === 'cancelled');
  await seen(row(board, first!).getByText('cancelled', { exact: true }));
  await gone(board.page.getByRole('dialog'));
  await press(board, 'r');
  await until('it is in the queue', async () => (await get(hub, first!.id)).status === 'todo');
  await press(board, 'Escape');
  await gone(board.panel(1));
});

test('a viewer sees no controls, and the keys do nothing', async () => {
  const project = await newProject(hub);
  const [item, broken] = await makeAll(hub, project.id, [{ title: 'Plain' }, { title: 'Broken' }]);
  await breakDown(hub, broken!.id);
  const { token } = await call(hub, 'token.create', { role: 'viewer', label: 'looks' });
  const board = await openList(project, '', { token: token.token });
  await seen(row(board, broken!));
  expect(await board.page.getByRole('checkbox').count()).toBe(0);
  await press(board, 'j', 'x', 'r', 'j', 'a', '1', 'Backspace');
  await seen(row(board, item!).locator('a:focus'));
  expect(await board.page.getByRole('toolbar').count()).toBe(0);
  expect(await board.page.getByRole('dialog').count()).toBe(0);
  expect([(await get(hub, item!.id)).version, (await get(hub, broken!.id)).status]).toEqual([
    item!.version,
    'failed',
  ]);
});

test('axe finds nothing, and nothing is clipped', async () => {
  const project = await newProject(hub);
  const items = await makeAll(
    hub,
    project.id,
    many(40, (n) => ({
      ref: `r${n}`,
      title: n === 5 ? `${'very '.repeat(40)}long` : `Item ${n}`,
      task_type: 'bug',
      ...(n > 30 ? { dependencies: ['r0', 'r1', 'r2', 'r3'] } : {}),
    })),
  );
  await httpAgent(hub, 'an-agent-with-a-long-name').claim(items[6]!.id);
  await breakDown(hub, items[7]!.id);
  await finish(hub, items[8]!.id);
  const board = await openList(project, '?sort=number');
  await seen(row(board, items[0]!));
  expect(await board.violations()).toEqual([]);
  await press(board, 'j', 'x', 'Enter');
  await seen(board.panel(1));
  expect(await board.violations()).toEqual([]);
  await press(board, 'a', 'Backspace');
  await seen(board.page.getByRole('dialog'));
  expect(await board.violations()).toEqual([]);
  await press(board, 'Escape', 'Escape', 'Escape');
  await gone(board.panel(1));
  for (const width of [390, 1920]) {
    await board.page.setViewportSize({ width, height: 800 });
    await seen(row(board, items[0]!));
    const overflow = await board.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect([width, overflow]).toEqual([width, 0]);
    expect(await board.violations()).toEqual([]);
  }
});
