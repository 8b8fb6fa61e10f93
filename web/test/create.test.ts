import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { get, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser, type Board } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const dialog = (board: Board, name: string) => board.page.getByRole('dialog', { name });
const itemsOf = async (project: string): Promise<Item[]> =>
  (await call(hub, 'item.list', { project, limit: 500 })).items;

async function openForm(board: Board) {
  await board.page.keyboard.press('c');
  const form = dialog(board, 'Create');
  await seen(form.getByLabel('Title'));
  return form;
}

describe('creating', () => {
  test('one item by the form, with the keyboard alone', async () => {
    const project = await newProject(hub);
    const [one, two] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Whole' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    const form = await openForm(board);
    const keys = board.page.keyboard;
    // From field to field, in the order in which they stand.
    const typed = ['Write it', 'So that\nit holds', 'bug', null, 'src/a.ts\nsrc/b/', '#1', '2', '1.5', '3'];
    for (const [place, text] of typed.entries()) {
      if (place > 0) await keys.press('Tab');
      if (text === null) await keys.press('2');
      else await keys.insertText(text);
      if (place === 8) await form.getByLabel('Attempts at most').fill('3');
    }
    await form.getByLabel('Priority').selectOption('2');
    await keys.press('Control+Enter');
    await seen(board.text('Created #3 Write it'));
    await gone(form);
    const item = (await itemsOf(project.id)).find(({ number }) => number === 3);
    expect(item).toMatchObject({
      title: 'Write it',
      description: 'So that\nit holds',
      task_type: 'bug',
      priority: 2,
      files_planned: ['src/a.ts', 'src/b/'],
      dependencies: [one!.id],
      parent_item_id: two!.id,
      estimated_hours: 1.5,
      max_attempts: 3,
    });
  });

  test('a refusal stands at its field, and nothing typed is lost', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    const form = await openForm(board);
    await form.getByLabel('Type').fill('Not A Slug');
    await form.getByLabel('Planned files').fill('ok.ts\n/etc/passwd');
    await form.getByRole('button', { name: 'Create', exact: true }).click();
    await seen(form.getByText('Say in a line what is to be done.'));
    await seen(form.getByText('is no slug: use a-z, 0-9, - and _.'));
    await seen(form.getByText(/^\/etc\/passwd: /));
    const described = await form.getByLabel('Type').getAttribute('aria-describedby');
    expect(await form.locator(`[id="${described}"]`).textContent()).toContain('is no slug');
    await form.getByLabel('Title').fill('Kept');
    await form.getByLabel('Type').fill('');
    await form.getByLabel('Planned files').fill('');
    await form.getByLabel('Waits for').fill('#99');
    await form.getByRole('button', { name: 'Create', exact: true }).click();
    await seen(form.getByText('There is no item #99 in this project.'));
    for (const key of ['Escape', 'Escape', 'Escape']) await board.page.keyboard.press(key);
    await seen(form.getByText('Discard what you typed?'));
    await board.page.keyboard.press('Enter');
    expect(await form.getByLabel('Title').inputValue()).toBe('Kept');
    await board.page.keyboard.press('Escape');
    await form.getByRole('button', { name: 'Discard' }).click();
    await gone(form);
    expect(await itemsOf(project.id)).toEqual([]);
    const again = await openForm(board);
    expect(await again.getByLabel('Title').inputValue()).toBe('');
    await board.page.keyboard.press('Escape');
    await gone(again);
  });

  test('many by a pasted checklist: previewed, and what is indented is a part', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, `/p/${project.name}?show=done`);
    // What an empty board offers.
    await board.page.getByRole('button', { name: 'Paste a checklist' }).click();
    const form = dialog(board, 'Create');
    await form
      .getByLabel('Markdown')
      .fill('# Plan\n- [ ] Take cards #feature (P2)\n  As sketched.\n  - [x] Draw it (90 min)\n- [ ] Tell');
    const preview = form.getByRole('region', { name: 'Preview' });
    await seen(form.getByText('3 items, 1 of them over already'));
    expect(await preview.getByRole('listitem').count()).toBe(3);
    await seen(preview.getByText('1.5 h'));
    await form.getByRole('button', { name: 'Create 3' }).click();
    await seen(board.text('Created 3 items'));
    await seen(board.column('Done').getByText('Draw it'));
    const [cards, draw, tell] = await itemsOf(project.id);
    expect([cards, draw, tell]).toMatchObject([
      { title: 'Take cards', task_type: 'feature', priority: 2, description: 'As sketched.', status: 'todo' },
      { title: 'Draw it', parent_item_id: cards!.id, status: 'done', estimated_hours: 1.5 },
      { title: 'Tell', parent_item_id: null },
    ]);
  });

  test('an entry that the hub refuses is marked in the preview, and nothing is created', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    const form = await openForm(board);
    await form.getByRole('button', { name: 'Paste a checklist' }).click();
    await form.getByLabel('Markdown').fill(`- [ ] Fine\n- [ ] ${'x'.repeat(501)}`);
    await form.getByRole('button', { name: 'Create 2' }).click();
    await seen(form.getByText(/^Nothing was created\. Entry 2: title: /));
    await seen(form.getByRole('region', { name: 'Preview' }).getByText(/^title: /));
    expect(await itemsOf(project.id)).toEqual([]);
    await form.getByLabel('Markdown').fill('{"tasks": []}');
    await form.getByRole('button', { name: 'Import it…' }).click();
    await seen(dialog(board, 'Import a backlog').getByLabel('Or paste its text'));
  });

  test('an answer that is lost creates nothing twice', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    const form = await openForm(board);
    await form.getByLabel('Title').fill('Once');
    await board.loseAnswerTo('item.create');
    await form.getByRole('button', { name: 'Create', exact: true }).click();
    await seen(board.text('Created #1 Once'));
    expect((await itemsOf(project.id)).map(({ title }) => title)).toEqual(['Once']);
  });
});

describe('editing', () => {
  test('two people change one item: each sees the other’s change, and decides where both changed the same', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Draft', description: 'As it was' });
    const path = `/p/${project.name}?item=1`;
    const anna = await openBoard(browser(), hub, path);
    const ben = await openBoard(browser(), hub, path);
    await seen(anna.panel(1));
    await anna.page.keyboard.press('e');
    await ben.panel(1).getByRole('button', { name: 'Edit #1' }).click();
    const annas = dialog(anna, 'Edit #1');
    const bens = dialog(ben, 'Edit #1');
    await bens.getByLabel('Title').fill('By Ben');
    await annas.getByLabel('Title').fill('By Anna');
    await annas.getByLabel('Hours').fill('2');
    await annas.getByRole('button', { name: 'Save' }).click();
    await gone(annas);
    await seen(ben.card(item).getByText('By Anna'));
    const both = bens.getByRole('region', { name: 'Title: changed by both' });
    await seen(both.getByText('By Anna'));
    await seen(bens.getByText(/the form shows it so: Hours\./));
    expect(await bens.getByLabel('Hours').inputValue()).toBe('2');
    await bens.getByRole('button', { name: 'Save' }).click();
    await seen(bens.getByText(/Nothing is saved yet/));
    expect(await get(hub, item.id)).toMatchObject({ title: 'By Anna' });
    await both.getByRole('button', { name: 'Keep mine' }).click();
    await bens.getByRole('button', { name: 'Save' }).click();
    await gone(bens);
    await seen(anna.panel(1).getByRole('heading', { name: 'By Ben' }));
    expect(await get(hub, item.id)).toMatchObject({
      title: 'By Ben',
      estimated_hours: 2,
      description: 'As it was',
    });
  });

  test('the hub refuses an old version: what changed is shown, and nothing goes over it unasked', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Draft' });
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
    await board.panel(1).getByRole('button', { name: 'Edit #1' }).click();
    const form = dialog(board, 'Edit #1');
    await form.getByLabel('Title').fill('Mine');
    // What the hub tells of changes does not reach this page; answers do.
    await board.page.evaluate(() => {
      const real = requestAnimationFrame;
      window.requestAnimationFrame = () => 0;
      (window as never as { again: () => void }).again = () => (window.requestAnimationFrame = real);
    });
    await call(hub, 'item.update', { id: item.id, title: 'Theirs' });
    await form.getByRole('button', { name: 'Save' }).click();
    const both = form.getByRole('region', { name: 'Title: changed by both' });
    await seen(both.getByText('Theirs', { exact: true }).last());
    expect((await get(hub, item.id)).title).toBe('Theirs');
    await board.page.evaluate(() => (window as never as { again: () => void }).again());
    await both.getByRole('button', { name: 'Take theirs' }).click();
    expect(await form.getByLabel('Title').inputValue()).toBe('Theirs');
    await form.getByLabel('Waits for').fill('#1');
    await form.getByRole('button', { name: 'Save' }).click();
    await seen(form.getByText(/would wait for each other for ever/));
  });
});

describe('projects and tokens', () => {
  test('a project is made on the first page, and a name that does not fit is refused at its field', async () => {
    const board = await openBoard(browser(), hub, '/');
    const name = `made-${Date.now()}`;
    await board.page.getByRole('button', { name: 'New project…' }).click();
    const form = dialog(board, 'New project');
    await form.getByLabel('Name').fill('No Slug');
    await form.getByRole('button', { name: 'Create' }).click();
    await seen(form.getByText('is no slug: use a-z, 0-9, . - and _.'));
    await form.getByLabel('Name').fill(name);
    await form.getByRole('button', { name: 'Create' }).click();
    await board.live();
    expect(new URL(board.page.url()).pathname).toBe(`/p/${name}`);
    expect((await call(hub, 'project.get', { project: name })).project.conflict_policy).toBe('warn');
  });

  test('a token is made, its secret shown once, and revoked when that was confirmed', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, '/tokens');
    await board.page.getByRole('button', { name: 'New token…' }).click();
    const form = dialog(board, 'New token');
    await form.getByRole('button', { name: 'Make it' }).click();
    await seen(form.getByText('Say whose it is, or what for.'));
    const label = `for ${project.name}`;
    await form.getByLabel('Label').fill(label);
    await form.getByLabel('Project').selectOption(project.name);
    await form.getByLabel('Only for the agent').fill('anna');
    await form.getByLabel('Expires').selectOption('In a week');
    await form.getByRole('button', { name: 'Make it' }).click();
    const made = dialog(board, 'Token made');
    const secret = await made.locator('.secret code').textContent();
    await board.page.keyboard.press('Escape');
    await made.getByRole('button', { name: 'I have it' }).click();
    await gone(made);
    expect(await board.page.content()).not.toContain(secret);
    const { tokens } = await call(hub, 'token.list', {});
    expect(tokens.find((token) => token.label === label)).toMatchObject({
      role: 'agent',
      project_id: project.id,
      agent_id: 'anna',
    });
    const list = () => call(hub, 'item.list', { project: project.id }, secret!);
    expect((await list()).total).toBe(0);
    await board.page.getByRole('button', { name: `Revoke… ${label}` }).click();
    await dialog(board, 'Revoke it?').getByRole('button', { name: 'Revoke the token' }).click();
    await seen(board.page.getByRole('listitem').filter({ hasText: label }).getByText('revoked'));
    await until('it is shut out', () =>
      list().then(
        () => false,
        () => true,
      ),
    );
  });

  test('a viewer is offered none of it, and the keys do nothing', async () => {
    const project = await newProject(hub);
    await makeAll(hub, project.id, [{ title: 'One' }]);
    const { token } = await call(hub, 'token.create', { role: 'viewer', label: 'looks' });
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`, { token: token.token });
    await seen(board.panel(1).getByText('Timeline'));
    for (const name of [/^Create/, /^Edit/])
      expect(await board.page.getByRole('button', { name }).count()).toBe(0);
    for (const key of ['c', 'e']) await board.page.keyboard.press(key);
    await board.page.keyboard.press('?');
    await seen(dialog(board, 'Keys'));
    expect(await board.page.locator('dialog[open]').count()).toBe(1);
    await board.page.goto(`${hub.url}/`);
    await seen(board.page.getByRole('link', { name: project.name }));
    expect(await board.page.getByRole('button', { name: 'New project…' }).count()).toBe(0);
    expect(await board.page.getByRole('link', { name: 'Tokens' }).count()).toBe(0);
    await board.page.goto(`${hub.url}/tokens`);
    await seen(board.text('Tokens are for operators'));
    const status = await board.page.evaluate(async () => (await fetch('/api/tokens')).status);
    expect(status).toBe(403);
  });
});

test('axe finds nothing in the forms about items', async () => {
  const project = await newProject(hub);
  await make(hub, project.id, { title: 'One' });
  const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
  const look = async () => expect(await board.violations()).toEqual([]);
  const form = await openForm(board);
  await form.getByRole('button', { name: 'Create', exact: true }).click();
  await seen(form.getByText('Say in a line what is to be done.'));
  await look();
  await form.getByRole('button', { name: 'Paste a checklist' }).click();
  await form.getByLabel('Markdown').fill('- [ ] One #bug (P1)\n  as said\n  - [x] Two');
  await seen(form.getByRole('region', { name: 'Preview' }));
  await look();
  await board.page.keyboard.press('Escape');
  await look();
  await form.getByRole('button', { name: 'Discard' }).click();
  await board.panel(1).getByRole('button', { name: 'Edit #1' }).click();
  await dialog(board, 'Edit #1').getByLabel('Title').fill('Mine');
  await call(hub, 'item.update', { id: (await itemsOf(project.id))[0]!.id, title: 'Theirs' });
  await seen(dialog(board, 'Edit #1').getByRole('button', { name: 'Keep mine' }));
  await look();
});

test('axe finds nothing where tokens and projects are made', async () => {
  const board = await openBoard(browser(), hub, '/tokens');
  const look = async () => expect(await board.violations()).toEqual([]);
  await board.page.getByRole('button', { name: 'New token…' }).click();
  await seen(dialog(board, 'New token').getByLabel('Label'));
  await look();
  await dialog(board, 'New token').getByLabel('Label').fill('axe');
  await dialog(board, 'New token').getByRole('button', { name: 'Make it' }).click();
  await seen(dialog(board, 'Token made'));
  await look();
  await dialog(board, 'Token made').getByRole('button', { name: 'I have it' }).click();
  await look();
  await board.page.goto(`${hub.url}/`);
  await board.page.getByRole('button', { name: 'New project…' }).click();
  await seen(dialog(board, 'New project').getByLabel('Name'));
  await look();
});
