// Where the system takes all colours away but a few: what a background told must be told otherwise.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Locator } from 'playwright-core';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { finish, make } from '../../server/test/setup/work.ts';
import { openBoard, seen, useBrowser } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const look = (locator: Locator, property: 'backgroundColor' | 'outlineStyle') =>
  locator.evaluate((element, property) => getComputedStyle(element)[property], property);

test('with forced colours progress, the screen, the filter and the choice of the palette are still to be seen', async () => {
  const project = await newProject(hub);
  await finish(hub, (await make(hub, project.id)).id);
  const board = await openBoard(browser(), hub, `/p/${project.name}/list?status=done`);
  await board.page.emulateMedia({ forcedColors: 'active' });
  const bar = board.page.getByRole('progressbar', { name: 'Progress of the project' });
  expect(await look(bar.locator('.done'), 'backgroundColor')).not.toBe(await look(bar, 'backgroundColor'));
  const screen = (name: string) => board.page.getByRole('navigation', { name: 'Screens' }).getByText(name);
  expect(await look(screen('List'), 'outlineStyle')).toBe('solid');
  expect(await look(screen('Board'), 'outlineStyle')).toBe('none');
  const chip = (name: string) => board.page.getByRole('group', { name: 'Status' }).getByText(name);
  expect(await look(chip('Done'), 'outlineStyle')).toBe('solid');
  expect(await look(chip('Todo'), 'outlineStyle')).toBe('none');
  await board.page.keyboard.press('Control+k');
  const options = board.page.getByRole('option');
  await seen(options);
  expect(await look(options.nth(0), 'outlineStyle')).toBe('solid');
  expect(await look(options.nth(1), 'outlineStyle')).toBe('none');
});

test('a card that is selected says so by a sign and in words, not by its colour alone', async () => {
  const project = await newProject(hub);
  const [first, second] = [await make(hub, project.id), await make(hub, project.id)];
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await seen(board.card(second));
  for (const key of ['j', 'x']) await board.page.keyboard.press(key);
  const marks = (item: { id: string }) => board.card(item).getByText('selected', { exact: true }).count();
  await expect.poll(() => marks(first)).toBe(1);
  expect(await marks(second)).toBe(0);
});
