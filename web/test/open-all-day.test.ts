// What happens to a board that stays open: its project is renamed or deleted, its tab hidden, its person signed out.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { breakDown, finish, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser } from './setup/board.ts';
import { mortalHubs } from './setup/mortal.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

test('a project that is renamed meanwhile: the board goes on, its address follows, and a reload finds it', async () => {
  const project = await newProject(hub);
  const item = await make(hub, project.id, { title: 'Stays' });
  const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
  await board.page.keyboard.press('c');
  await board.page.getByLabel('Title').fill('Typed before');
  const name = `${project.name}-renamed`;
  await call(hub, 'project.update', { project: project.id, name });
  await board.page.waitForURL(`**/p/${name}?item=1`);
  expect(await board.page.getByLabel('Title').inputValue()).toBe('Typed before');
  await board.page.getByRole('button', { name: 'Create', exact: true }).last().click();
  await seen(board.column('Todo').getByText('Typed before'));
  await board.page.getByRole('link', { name: 'List' }).click();
  await board.page.getByRole('searchbox', { name: 'Search' }).fill('Typed');
  await gone(board.page.locator(`[data-item="${item.id}"]`));
  await seen(board.page.getByRole('link', { name: 'Typed before' }));
  expect(await board.page.getByRole('alert').count()).toBe(0);
  await board.page.goBack();
  await board.page.reload();
  await board.live();
  await seen(board.card(item));
});

test('a project that is deleted meanwhile is said to be gone, and nothing of it to be live', async () => {
  const project = await newProject(hub);
  await make(hub, project.id);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await call(hub, 'project.delete', { project: project.id, confirm: project.name });
  await seen(board.page.getByRole('alert').getByText(`There is no project "${project.name}"`));
  await gone(board.page.locator('[data-live]'));
});

test('another project takes the name of one that is deleted: the board shows that one, and nothing of the first', async () => {
  const project = await newProject(hub);
  const first = await make(hub, project.id, { title: 'Of the first' });
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await call(hub, 'project.delete', { project: project.id, confirm: project.name });
  const { id } = await newProject(hub, { name: project.name });
  const second = await make(hub, id, { title: 'Of the second' });
  await seen(board.card(second));
  await gone(board.card(first));
  await board.live();
});

test('a tab that is hidden while a frame is due still tells of what needs somebody', async () => {
  const project = await newProject(hub);
  const item = await make(hub, project.id);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  // As a browser does in a tab that is hidden: frames are asked for, and none comes.
  await board.page.evaluate(() => {
    window.requestAnimationFrame = () => 1;
  });
  await breakDown(hub, item.id);
  await board.page.waitForFunction(() => document.title.startsWith('(1) '));
});

test('signing out in one tab signs out all, as they share a cookie, and so does signing in', async () => {
  const project = await newProject(hub);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  const home = await board.context.newPage();
  await home.goto(hub.url);
  await home.getByRole('button', { name: 'Sign out' }).click();
  await seen(home.getByLabel('Token'));
  await seen(board.page.getByLabel('Token'));
  await gone(board.page.locator('[data-live]'));
  const { token } = await call(hub, 'token.create', { role: 'viewer', label: 'looks' });
  await home.getByLabel('Token').fill(token.token);
  await home.keyboard.press('Enter');
  await board.live();
  await gone(board.page.getByRole('button', { name: 'Create', exact: true }));
});

test('a number in the address that no item can have is said to be none, in words', async () => {
  const project = await newProject(hub);
  await make(hub, project.id);
  const board = await openBoard(browser(), hub, `/p/${project.name}/items/one`);
  await seen(board.page.getByRole('alert').getByText('There is no such item'));
  await board.page.goto(`${hub.url}/p/${project.name}/items/99999999999`);
  await seen(board.page.getByRole('alert').getByText('There is no such item'));
  await board.page.goto(`${hub.url}/p/${project.name}?item=1.5&parent=${'-'.repeat(36)}`);
  await seen(board.column('Todo').getByText('work'));
  expect(await board.page.getByRole('complementary').count()).toBe(0);
});

test('a page of a column that the hub refuses takes nothing away, and is asked for again with the next change', async () => {
  const project = await newProject(hub);
  await makeAll(
    hub,
    project.id,
    Array.from({ length: 260 }, () => ({})),
  );
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  const column = board.column('Todo');
  await seen(column.getByText('260'));
  await board.page.evaluate(() => {
    const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send')!.value as WebSocket['send'];
    WebSocket.prototype.send = function (data) {
      const list = typeof data === 'string' && data.includes('"item.list"');
      send.call(this, list ? data.replace(/"limit":\d+/, '"limit":0') : data);
    };
    Object.assign(window, { heal: () => (WebSocket.prototype.send = send) });
  });
  await column.hover();
  const problem = column.getByRole('alert');
  await expect
    .poll(async () => {
      await board.page.mouse.wheel(0, 5_000);
      return problem.count();
    })
    .toBe(1);
  await seen(column.locator('.card'));
  await board.page.evaluate(() => (window as unknown as { heal(): void }).heal());
  await make(hub, project.id, { title: 'The next change' });
  await gone(problem);
  await expect
    .poll(async () => {
      await board.page.mouse.wheel(0, 5_000);
      return column.getByText('#260').count();
    })
    .toBe(1);
});

test('the list of projects stays while the hub is away, and goes on once it is back', async () => {
  const hubs = await mortalHubs();
  const first = await hubs.start();
  const project = await newProject(first);
  const item = await make(first, project.id);
  const board = await openBoard(browser(), first, '/');
  const row = board.page.getByRole('listitem').filter({ hasText: project.name });
  await seen(row.getByText('0/1 done'));
  await first.end('SIGKILL');
  await seen(board.page.getByRole('alert').getByText('The hub does not answer'));
  expect(await row.getByText('0/1 done').count()).toBe(1);
  const second = await hubs.start({ port: first.port });
  await finish(second, item.id);
  await seen(row.getByText('1/1 done'));
  await gone(board.page.getByRole('alert'));
});
