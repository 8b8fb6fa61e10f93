// Menus: by keyboard as by mouse, and what has the keyboard while one is open.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { get, make } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const press = async (board: Board, ...keys: string[]) => {
  for (const key of keys) await board.page.keyboard.press(key);
};
const focused = (board: Board, role: 'menuitemradio' | 'button', name: string) =>
  board.page.getByRole(role, { name, exact: true }).and(board.page.locator(':focus'));

test('a menu is opened, gone through and left by keyboard; the choice is made, and the focus is where it was', async () => {
  const project = await newProject(hub);
  await make(hub, project.id);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await board.page.getByRole('button', { name: 'Type', exact: true }).focus();
  await press(board, 'Enter');
  await seen(focused(board, 'menuitemradio', 'Any'));
  await press(board, 'ArrowDown');
  await seen(focused(board, 'menuitemradio', 'feature'));
  await press(board, 'End');
  await seen(focused(board, 'menuitemradio', 'refactor'));
  await press(board, 'b');
  await seen(focused(board, 'menuitemradio', 'bug'));
  await press(board, 'Enter');
  await board.page.waitForURL('**?type=bug');
  await seen(focused(board, 'button', 'Type: bug'));
  await press(board, 'Enter');
  await seen(focused(board, 'menuitemradio', 'bug'));
  await press(board, 'Escape');
  await gone(board.page.getByRole('menu'));
  await seen(focused(board, 'button', 'Type: bug'));
});

test('while a menu is open no key reaches what lies below it', async () => {
  const project = await newProject(hub);
  const item = await make(hub, project.id);
  const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
  await seen(board.panel(1));
  await board.page.getByRole('button', { name: 'Type', exact: true }).click();
  await seen(focused(board, 'menuitemradio', 'Any'));
  await press(board, 'c', 'Backspace', '0', 'x', 'p', 'Escape');
  await gone(board.page.getByRole('menu'));
  await seen(focused(board, 'button', 'Type'));
  expect(await board.page.getByRole('dialog').count()).toBe(0);
  await seen(board.panel(1));
  await seen(board.page.getByText('Live', { exact: true }));
  // What comes after it does reach it: had a key before done so, this would be the second change.
  await press(board, '3');
  await seen(board.panel(1).getByRole('button', { name: 'Priority: P3' }));
  expect((await get(hub, item.id)).version).toBe(item.version + 1);
});

test('a menu at the lower edge opens within the window', async () => {
  const project = await newProject(hub);
  await make(hub, project.id);
  const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`, { height: 500 });
  await board.panel(1).getByRole('button', { name: 'Priority: P5' }).click();
  await seen(focused(board, 'menuitemradio', 'P5'));
  const menu = (await board.page.getByRole('menu', { name: 'Priority: P5' }).boundingBox())!;
  expect(menu.y).toBeGreaterThanOrEqual(0);
  expect(menu.y + menu.height).toBeLessThanOrEqual(500);
});
