// What the hands do without a mouse, and the keys that hold on every screen.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { get, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBlank, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const press = async (board: Board, ...keys: string[]) => {
  for (const key of keys) await board.page.keyboard.press(key);
};

/** Goes on from one thing to the next by Tab alone, until this one has the focus. */
async function tabTo(board: Board, role: 'link' | 'textbox', name: string) {
  const wanted = board.page.getByRole(role, { name, exact: true });
  await seen(wanted);
  await until(`Tab has come to ${name}`, async () => {
    if (await wanted.evaluate((one) => one === document.activeElement)) return true;
    await press(board, 'Tab');
    return false;
  });
}

test('by keyboard alone: from opening the page, through signing in, to a cancelled item', async () => {
  const project = await newProject(hub);
  const [first, second] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
  const board = await openBlank(browser(), hub, '/');
  await tabTo(board, 'textbox', 'Token');
  await board.page.keyboard.insertText(adminToken);
  await press(board, 'Enter');
  await tabTo(board, 'link', project.name);
  await press(board, 'Enter');
  await board.live();
  await seen(board.card(second!));
  await press(board, 'j', 'j');
  await seen(board.card(second!).locator('a:focus'));
  await press(board, 'Enter');
  await seen(board.panel(2));
  await press(board, 'Backspace');
  await seen(board.page.getByRole('dialog', { name: 'Cancel #2?' }));
  await press(board, 'Escape');
  await gone(board.page.getByRole('dialog'));
  expect((await get(hub, second!.id)).status).toBe('todo');
  await press(board, 'Backspace');
  await seen(board.page.getByRole('dialog', { name: 'Cancel #2?' }));
  await press(board, 'Enter');
  await seen(board.panel(2).getByText('cancelled', { exact: true }));
  expect([await get(hub, first!.id), await get(hub, second!.id)]).toMatchObject([
    { status: 'todo', version: first!.version },
    { status: 'cancelled' },
  ]);
});

test('a key that opens a dialog does so at once after Escape, however quick one is', async () => {
  const project = await newProject(hub);
  const item = await make(hub, project.id, { title: 'First' });
  const board = await openBoard(browser(), hub, `/p/${project.name}?item=${item.number}`);
  await seen(board.panel(1));
  await press(board, 'Backspace');
  const dialog = board.page.getByRole('dialog', { name: 'Cancel #1?' });
  await seen(dialog);
  // In one task, as it comes to pass in a page that is busy: what Escape leaves for later comes after the next key.
  await board.page.evaluate(async () => {
    document.querySelector<HTMLDialogElement>('dialog[open]')!.requestClose();
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Backspace', bubbles: true }));
    await new Promise((done) => setTimeout(done));
  });
  await seen(dialog);
  await press(board, 'Enter');
  await seen(board.panel(1).getByText('cancelled', { exact: true }));
});

test('a token that the hub does not know is refused, and says so', async () => {
  const board = await openBlank(browser(), hub, '/');
  await board.page.getByLabel('Token').fill('swy_wrong');
  await press(board, 'Enter');
  await seen(board.page.getByRole('alert').filter({ hasText: /./ }));
  await seen(board.page.getByLabel('Token'));
});

describe('keys that hold on every screen', () => {
  test('t turns light to dark and back; a reload keeps it, from the first paint on', async () => {
    const project = await newProject(hub);
    await make(hub, project.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    const ground = () => board.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await press(board, 't');
    await expect.poll(ground).not.toBe(light);
    const dark = await ground();
    await board.page.reload({ waitUntil: 'commit' });
    await board.page.waitForSelector('body');
    expect(await ground()).toBe(dark);
    await board.live();
    await press(board, 't');
    await expect.poll(ground).toBe(light);
    await board.page.emulateMedia({ colorScheme: 'dark' });
    expect(await ground()).toBe(light);
  });

  test('p holds everything still, whatever happens, until it is pressed again', async () => {
    const project = await newProject(hub);
    const first = await make(hub, project.id, { title: 'First' });
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.card(first));
    await press(board, 'p');
    await seen(board.text('Live, held'));
    const second = await make(hub, project.id, { title: 'Second' });
    await seen(board.column('Todo').getByRole('button', { name: '+1 change' }));
    expect(await board.card(second).count()).toBe(0);
    await press(board, 'p');
    await seen(board.card(second));
    await gone(board.text('Live, held'));
  });

  test('the palette finds what can be done, and items that no list holds; the help names the keys', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'A needle' });
    const board = await openBoard(browser(), hub, `/p/${project.name}/agents`);
    await press(board, 'Control+k');
    await board.page.keyboard.type('needle');
    await seen(board.page.getByRole('option', { name: '#1 A needle' }));
    await press(board, 'Enter');
    await seen(board.panel(1));
    await press(board, 'Control+k');
    await board.page.keyboard.type('activity');
    await seen(board.page.getByRole('option', { name: 'Activity' }));
    await press(board, 'Enter');
    await board.page.waitForURL(/\/activity/);
    await press(board, '?');
    const help = board.page.getByRole('dialog', { name: 'Keys' });
    await seen(help.getByText('Hold everything still'));
    // A dialog has the keyboard to itself.
    await press(board, 'p', 'g', 'b', 'Escape');
    await gone(help);
    expect(new URL(board.page.url()).pathname).toBe(`/p/${project.name}/activity`);
    expect(await board.text('Live, held').count()).toBe(0);
    await press(board, 'g', 'b');
    await board.page.waitForURL((url) => url.pathname === `/p/${project.name}`);
    // Each screen's own keys come and go with it.
    const blocked = board.page
      .getByRole('dialog', { name: 'Keys' })
      .getByText('Show or hide what is blocked');
    await seen(board.card(item));
    await press(board, '?');
    await seen(blocked);
    await press(board, 'Escape', 'g', 'a');
    await board.page.waitForURL(/\/agents/);
    await seen(board.text('No agent has connected yet'));
    await press(board, '?');
    await seen(help.getByText('Hold everything still'));
    expect(await blocked.count()).toBe(0);
  });

  test('what is typed into a field is text; Escape and what goes with Ctrl still work', async () => {
    const project = await newProject(hub);
    await make(hub, project.id, { title: 'Plain' });
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await press(board, '/');
    await board.page.keyboard.type('pt?c');
    expect(await board.page.getByRole('searchbox').inputValue()).toBe('pt?c');
    expect(await board.page.locator('dialog[open]').count()).toBe(0);
    expect(await board.text('Live, held').count()).toBe(0);
    await press(board, 'Control+k');
    await seen(board.page.getByRole('combobox', { name: 'Find an item or do something' }));
  });
});
