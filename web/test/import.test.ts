import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { gone, openBoard, seen, useBrowser, type Board, type BoardOptions } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

async function openImport(project: { name: string }, options: BoardOptions = {}) {
  const board = await openBoard(browser(), hub, `/p/${project.name}`, options);
  await board.page.keyboard.press('i');
  const dialog = board.page.getByRole('dialog', { name: 'Import a backlog' });
  await seen(dialog.getByRole('button', { name: 'Choose a file…' }));
  return { board, dialog };
}

/** A file, as a person drops it onto the dialog. */
const drop = (board: Board, name: string, content: string | number[] | { size: number }) =>
  board.page.evaluate(
    ([name, content]) => {
      const bytes =
        typeof content === 'string' || Array.isArray(content)
          ? new TextEncoder().encode(String(content))
          : new Uint8Array(content.size);
      const data = new DataTransfer();
      data.items.add(new File([Array.isArray(content) ? Uint8Array.from(content) : bytes], name));
      const event = { bubbles: true, cancelable: true, dataTransfer: data };
      document.querySelector('dialog[open]')!.dispatchEvent(new DragEvent('drop', event));
    },
    [name, content] as const,
  );

/** Keeps back the create that comes after `before` others, until it is let go. */
async function holdCreate(board: Board, before: number): Promise<() => Promise<void>> {
  await board.page.evaluate((before) => {
    const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send')!.value as WebSocket['send'];
    let creates = 0;
    WebSocket.prototype.send = function (data) {
      const isCreate = typeof data === 'string' && data.includes('"item.create"');
      if (!isCreate || creates++ !== before) return send.call(this, data);
      (window as never as { letGo: () => void }).letGo = () => send.call(this, data);
    };
  }, before);
  return () => board.page.evaluate(() => (window as never as { letGo: () => void }).letGo());
}

async function itemsOf(project: { id: string }): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await call(hub, 'item.list', {
      project: project.id,
      limit: 500,
      ...(cursor ? { cursor } : {}),
    });
    items.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
const totalOf = async (project: { id: string }) =>
  (await call(hub, 'item.list', { project: project.id, limit: 1 })).total;

const beads = [
  { id: 'x-1', title: 'Epic', status: 'closed', issue_type: 'epic', priority: 1, close_reason: 'Enough' },
  { id: 'x-2', title: 'Part', status: 'open', issue_type: 'feature', priority: 0, parent: 'x-1' },
  {
    id: 'x-3',
    title: 'Later',
    status: 'open',
    issue_type: 'bug',
    priority: 2,
    dependencies: [
      { depends_on_id: 'x-2', type: 'blocks' },
      { depends_on_id: 'x-99', type: 'blocks' },
    ],
  },
];
const jsonl = (issues: object[]) => issues.map((issue) => JSON.stringify(issue)).join('\n');
const checklist = (count: number) =>
  Array.from({ length: count }, (_, n) => `- [ ] Step ${n + 1}`).join('\n');

describe('a backlog', () => {
  test('is shown before anything is made; then it is made, with its links, and what was left out is told', async () => {
    const project = await newProject(hub);
    const { board, dialog } = await openImport(project);
    await dialog.locator('input[type=file]').setInputFiles({
      name: 'issues.jsonl',
      mimeType: 'application/jsonl',
      buffer: Buffer.from(`${jsonl(beads)}\n{"id": "x-4", "title"\n`),
    });
    await seen(dialog.getByText('issues.jsonl is Beads with 3 items: all of them are new here.'));
    const preview = dialog.getByRole('group', { name: 'Preview' });
    await seen(preview.getByText('line 4', { exact: true }));
    await preview.getByText('1 link to an issue that is not in the file').click();
    await seen(preview.getByText('depends on x-99'));
    const rows = preview.getByRole('region', { name: 'Preview' }).getByRole('listitem');
    const titles = await rows.locator('.title').allInnerTexts();
    expect(titles).toEqual(['Epic', 'Part', 'Later']);
    expect(await totalOf(project)).toBe(0);

    await dialog.getByRole('button', { name: 'Import 3 items' }).click();
    await seen(dialog.getByText('All of it is there.'));
    const report = dialog.getByRole('group', { name: 'Report' });
    await seen(report.getByText('line 4', { exact: true }));
    expect(await report.locator('dd').allInnerTexts()).toEqual(['3', '0', '1', '1']);
    const [epic, part, later] = await itemsOf(project);
    expect([epic, part, later]).toMatchObject([
      { title: 'Epic', status: 'done', result_summary: 'Enough', priority: 2 },
      { title: 'Part', parent_item_id: epic!.id, ready: true },
      { title: 'Later', dependencies: [part!.id], metadata: { source: { system: 'beads', id: 'x-3' } } },
    ]);
    await seen(board.card(part!));
  });

  test('that comes again adds what is new, and nothing twice', async () => {
    const project = await newProject(hub);
    const { board, dialog } = await openImport(project);
    await drop(board, 'issues.jsonl', jsonl(beads));
    await dialog.getByRole('button', { name: 'Import 3 items' }).click();
    await dialog.getByRole('button', { name: 'Import another' }).click();
    await drop(board, 'issues.jsonl', jsonl(beads));
    await seen(dialog.getByText('all of them are there already, and stay as they are.'));
    expect(await dialog.getByText('there already', { exact: true }).count()).toBe(3);
    expect(await dialog.getByRole('button', { name: 'Nothing to import' }).isDisabled()).toBe(true);
    await dialog.getByRole('button', { name: 'Choose another' }).click();
    const more = { id: 'x-4', title: 'New', status: 'open', issue_type: 'task', priority: 2, parent: 'x-1' };
    await drop(board, 'issues.jsonl', jsonl([...beads, more]));
    await seen(dialog.getByText('1 are new here, 3 are there already and stay as they are.'));
    await dialog.getByRole('button', { name: 'Import 1 item' }).click();
    await seen(dialog.getByText('All of it is there.'));
    const items = await itemsOf(project);
    expect(items.map(({ title }) => title)).toEqual(['Epic', 'Part', 'Later', 'New']);
    expect(items[3]!.parent_item_id).toBe(items[0]!.id);
  });

  test('of Task Master is told by its content, also when it is pasted', async () => {
    const project = await newProject(hub);
    const { dialog } = await openImport(project);
    const subtasks = [{ id: 1, title: 'Draw it', status: 'done' }];
    const tasks = [{ id: 1, title: 'Take cards', status: 'pending', priority: 'high', subtasks }];
    await dialog.getByLabel('Or paste its text').fill(JSON.stringify({ master: { tasks } }, null, 2));
    await dialog.getByRole('button', { name: 'Preview' }).click();
    await seen(dialog.getByText('What you pasted is Task Master with 2 items: all of them are new here.'));
    await dialog.getByRole('button', { name: 'Import 2 items' }).click();
    await seen(dialog.getByText('All of it is there.'));
    const [task, part] = await itemsOf(project);
    expect([task, part]).toMatchObject([
      { title: 'Take cards', priority: 2 },
      { title: 'Draw it', status: 'done', parent_item_id: task!.id },
    ]);
  });

  test('that is more than one create holds is taken along from where a checklist is pasted', async () => {
    const project = await newProject(hub);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await board.page.keyboard.press('c');
    const form = board.page.getByRole('dialog', { name: 'Create' });
    await form.getByRole('button', { name: 'Paste a checklist' }).click();
    await form.getByLabel('Markdown').fill(checklist(1_001));
    await form.getByRole('button', { name: 'Import it…' }).click();
    const dialog = board.page.getByRole('dialog', { name: 'Import a backlog' });
    await dialog.getByRole('button', { name: 'Preview' }).click();
    await dialog.getByRole('button', { name: 'Import 1,001 items' }).click();
    await seen(dialog.getByText('All of it is there.'));
    expect(await totalOf(project)).toBe(1_001);
  });

  const folder = join(import.meta.dirname, '../../../shared/data');
  const real = existsSync(folder);
  if (!real) console.info('No real backlogs beside this checkout: imports are tried on small ones only.');
  test.runIf(real).each([
    ['beads-issues.jsonl', 'Beads', 704],
    ['taskmaster-tasks.json', 'Task Master', 145],
  ])('nobody here wrote comes over whole, and once: %s', async (file, system, count) => {
    const project = await newProject(hub);
    const { board, dialog } = await openImport(project);
    const input = dialog.locator('input[type=file]');
    await input.setInputFiles(join(folder, file));
    await seen(dialog.getByText(`${file} is ${system} with ${count} items: all of them are new here.`));
    await dialog.getByRole('button', { name: `Import ${count} items` }).click();
    await seen(dialog.getByText('All of it is there.'));
    const items = await itemsOf(project);
    const ids = items.map(({ metadata }) => (metadata.source as { id: string }).id);
    expect(new Set(ids).size).toBe(count);
    const text = readFileSync(join(folder, file), 'utf8');
    expect(ids.every((id) => text.includes(id.split('.').at(-1)!))).toBe(true);
    await dialog.getByRole('button', { name: 'Import another' }).click();
    await input.setInputFiles(join(folder, file));
    await seen(dialog.getByText('all of them are there already, and stay as they are.'));
    expect(await totalOf(project)).toBe(count);
    await seen(board.text(new RegExp(`/${items.filter((item) => item.status !== 'cancelled').length} done`)));
  });
});

describe('an import', () => {
  test('is stopped half-way, says what is still to come, and goes on without making anything twice', async () => {
    const project = await newProject(hub);
    const { board, dialog } = await openImport(project);
    const letGo = await holdCreate(board, 1);
    await drop(board, 'TODO.md', checklist(2_300));
    await dialog.getByRole('button', { name: 'Import 2,300 items' }).click();
    await seen(dialog.getByText('1,000 of 2,300 items are there'));
    expect(await dialog.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('43');
    await dialog.getByRole('button', { name: 'Stop' }).click();
    await seen(dialog.getByText('It stops after the part that is under way.'));
    await letGo();
    await seen(dialog.getByText('Stopped.'));
    const figures = dialog.getByRole('group', { name: 'Report' }).locator('dd');
    expect(await figures.allInnerTexts()).toEqual(['2,000', '0', '300', '0', '0']);
    expect(await totalOf(project)).toBe(2_000);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    await seen(dialog.getByText('All of it is there.'));
    expect(await figures.allInnerTexts()).toEqual(['2,300', '0', '0', '0']);
    const titles = (await itemsOf(project)).map(({ title }) => title);
    expect([titles.length, new Set(titles).size]).toEqual([2_300, 2_300]);
  });

  test('that is under way is closed only after a question, and the next one knows what it made', async () => {
    const project = await newProject(hub);
    const { board, dialog } = await openImport(project);
    await holdCreate(board, 1);
    await drop(board, 'TODO.md', checklist(1_100));
    await dialog.getByRole('button', { name: 'Import 1,100 items' }).click();
    await seen(dialog.getByText('1,000 of 1,100 items are there'));
    for (const key of ['Escape', 'Escape', 'Escape']) await board.page.keyboard.press(key);
    await seen(dialog.getByText('Stop importing?'));
    // Leaving the page altogether is the hardest way to break it off.
    const left = await board.context.newPage();
    await left.goto(`${hub.url}/p/${project.name}`);
    await board.page.close();
    const again = left.getByRole('dialog', { name: 'Import a backlog' });
    await left.locator('[data-live=live]').waitFor();
    await left.keyboard.press('i');
    await again.getByLabel('Or paste its text').fill(checklist(1_100));
    await again.getByRole('button', { name: 'Preview' }).click();
    await seen(again.getByText('100 are new here, 1,000 are there already and stay as they are.'));
    await again.getByRole('button', { name: 'Import 100 items' }).click();
    await seen(again.getByText('All of it is there.'));
    expect(await totalOf(project)).toBe(1_100);
  });

  test('makes nothing twice when an answer is lost on the way', async () => {
    const project = await newProject(hub);
    const { board, dialog } = await openImport(project);
    await drop(board, 'TODO.md', checklist(40));
    await seen(dialog.getByText('TODO.md is a Markdown checklist with 40 items'));
    await board.page.evaluate(() => {
      const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send')!.value as WebSocket['send'];
      WebSocket.prototype.send = function (data) {
        send.call(this, data);
        if (typeof data !== 'string' || !data.includes('"item.create"')) return;
        WebSocket.prototype.send = send;
        this.onmessage = null;
        setTimeout(() => this.close(), 300);
      };
    });
    await dialog.getByRole('button', { name: 'Import 40 items' }).click();
    await seen(dialog.getByText('All of it is there.'));
    expect(await totalOf(project)).toBe(40);
  });
});

test.each([
  [
    'latin1.md',
    [...Buffer.from('# Plan\n- [ ] Größe', 'latin1')],
    'latin1.md: This file is not UTF-8 text: see line 2. Save it as UTF-8',
  ],
  [
    'utf16.md',
    [...Buffer.from('\ufeff- [ ] a', 'utf16le')],
    'utf16.md: This file is UTF-16. Save it as UTF-8',
  ],
  [
    'tasks.json',
    '{"tasks": [\n  {"id": 1 "title": "One"}\n]}',
    'line 2 goes wrong at “"title": "One"}”, column 12. Mend it there',
  ],
  [
    'deep.json',
    `{"tasks": [{"id": 1, "x": ${'['.repeat(50_000)}${']'.repeat(50_000)}}]}`,
    'nested deeper than 100 levels',
  ],
  [
    'notes.txt',
    'Hello',
    'This is no backlog: expected Beads JSONL, Task Master tasks.json, or Markdown with - [ ] items.',
  ],
  ['empty.md', '', 'This is no backlog'],
  [
    'huge.jsonl',
    { size: 32 * 1024 * 1024 + 1 },
    'This is 33 MB, and the board reads up to 32 MB. The command line takes any size:',
  ],
] as const)('a file that cannot be read is refused with what to do: %s', async (name, content, message) => {
  const project = await newProject(hub);
  const { board, dialog } = await openImport(project);
  await drop(board, name, content as string);
  await seen(dialog.getByRole('alert').getByText(message));
  if (name === 'huge.jsonl')
    await seen(dialog.getByText(`npx switchyard import FILE --project ${project.name}`));
  // And the next one is taken.
  await drop(board, 'TODO.md', '- [ ] One');
  await seen(dialog.getByRole('button', { name: 'Import 1 item' }));
  expect(await totalOf(project)).toBe(0);
});

test('it is found in the header, in the palette, among the keys, and on an empty board', async () => {
  const project = await newProject(hub);
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  const dialog = board.page.getByRole('dialog', { name: 'Import a backlog' });
  const closes = async () => {
    await seen(dialog.getByRole('button', { name: 'Choose a file…' }));
    await board.page.keyboard.press('Escape');
    await gone(dialog);
  };
  await board.page.getByRole('button', { name: 'Import a backlog' }).click();
  await closes();
  const keys = board.page.keyboard;
  await board.page.getByRole('button', { name: 'Ways to create' }).focus();
  await keys.press('Enter');
  await seen(board.page.getByRole('menuitem', { name: 'One item…' }).and(board.page.locator(':focus')));
  for (const key of ['i', 'Enter']) await keys.press(key);
  await closes();
  await keys.press('Control+k');
  await keys.insertText('import');
  await keys.press('Enter');
  await closes();
  await keys.press('?');
  await seen(board.page.getByRole('dialog', { name: 'Keys' }).getByText('Import a backlog'));
});

test('what was pasted is not lost by a slip of the hand', async () => {
  const { board, dialog } = await openImport(await newProject(hub));
  await dialog.getByLabel('Or paste its text').fill('- [ ] One');
  await board.page.keyboard.press('Escape');
  await seen(dialog.getByText('Discard what you pasted?'));
  await board.page.keyboard.press('Enter');
  expect(await dialog.getByLabel('Or paste its text').inputValue()).toBe('- [ ] One');
});

test('a viewer is not offered it, and the key does nothing', async () => {
  const project = await newProject(hub);
  const { token } = await call(hub, 'token.create', { role: 'viewer', label: 'looks' });
  const board = await openBoard(browser(), hub, `/p/${project.name}`, { token: token.token });
  await seen(board.text('No items yet'));
  expect(await board.page.getByRole('button', { name: /Import|Ways to create/ }).count()).toBe(0);
  await board.page.keyboard.press('i');
  await board.page.keyboard.press('Control+k');
  await board.page.keyboard.insertText('import');
  await seen(board.text('Nothing of that name.'));
  expect(await board.page.locator('dialog[open]').count()).toBe(1);
});

test('axe finds nothing at any step, and nothing is clipped', async () => {
  const project = await newProject(hub);
  const { board, dialog } = await openImport(project);
  const look = async () => {
    expect(await board.violations()).toEqual([]);
    for (const width of [390, 1920, 1280]) {
      await board.page.setViewportSize({ width, height: 800 });
      const overflow = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
      expect([width, overflow]).toEqual([width, 0]);
    }
  };
  await look();
  await drop(board, 'tasks.json', '{"tasks": [');
  await seen(dialog.getByRole('alert'));
  await look();
  const long = { id: 'x-5', title: 'l'.repeat(300), status: 'open', issue_type: 'task', priority: 2 };
  await drop(board, `${'name'.repeat(40)}.jsonl`, `${jsonl([...beads, long])}\nno`);
  await dialog.getByText('1 link to an issue').click();
  await look();
  const letGo = await holdCreate(board, 0);
  await dialog.getByRole('button', { name: 'Import 4 items' }).click();
  await seen(dialog.getByRole('progressbar'));
  await look();
  await letGo();
  await seen(dialog.getByText('All of it is there.'));
  await look();
});
