import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call, connectAgent, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { breakDown, finish, get, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

const claim = (agent: Awaited<ReturnType<typeof connectAgent>>, id: string) =>
  agent.call('item.claim', { id });

describe('what agents do appears', () => {
  test('a claim, its files, a conflict and a completion', async () => {
    const project = await newProject(hub);
    const [one, two] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}?show=done`);
    await seen(board.column('Todo').getByText('First'));
    const [a, b] = [await connectAgent(hub, project.id, 'anna'), await connectAgent(hub, project.id, 'ben')];
    await claim(a, one!.id);
    await seen(board.column('Claimed').getByText('anna'));
    await a.call('item.report_files', { id: one!.id, attempt: 1, files: ['src/auth.ts'] });
    await seen(board.card(one!).getByText('auth.ts'));
    await claim(b, two!.id);
    await b.call('item.report_files', { id: two!.id, attempt: 1, files: ['src/auth.ts'] });
    await seen(board.page.getByRole('button', { name: /conflict in src\/auth\.ts \(#1 ↔ #2\)/ }));
    await seen(board.card(two!).getByText('conflict in auth.ts'));
    await expect.poll(() => board.page.title()).toBe(`(1) Board · ${project.name} · Switchyard`);
    // What needs a person is opened by a press.
    await board.page.getByRole('button', { name: /conflict in src\/auth\.ts/ }).click();
    await seen(board.panel(1));
    await a.call('item.complete', { id: one!.id, attempt: 1, result_summary: 'Done', files_modified: [] });
    await seen(board.column('Done').getByText('First'));
    await seen(board.text('All clear'));
    await seen(board.text('1/2 done'));
  });

  test('what waits for another is grouped, and is ready once that is done', async () => {
    const project = await newProject(hub);
    const [first, second] = await makeAll(hub, project.id, [
      { ref: 'a', title: 'First' },
      { title: 'Second', dependencies: ['a'] },
    ]);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await board.column('Todo').getByRole('button', { name: 'blocked 1' }).click();
    await seen(board.card(second!));
    await board.card(second!).getByRole('link').click();
    await seen(board.panel(2).getByRole('link', { name: '#1 First' }));
    await board.page.mouse.move(0, 0);
    await finish(hub, first!.id);
    await seen(board.card(second!).getByText('ready'));
    await seen(board.panel(2).getByText('done', { exact: true }));
  });

  test('under deny, what shares files with a claim is ready again as soon as that is over', async () => {
    const project = await newProject(hub, { conflict_policy: 'deny' });
    const plan = { files_planned: ['src/auth.ts'] };
    const [one, two] = await makeAll(hub, project.id, [
      { title: 'First', ...plan },
      { title: 'Second', ...plan },
    ]);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.card(two!).getByText('ready'));
    const anna = await connectAgent(hub, project.id, 'anna');
    await claim(anna, one!.id);
    await board.column('Todo').getByRole('button', { name: 'blocked 1' }).click();
    await seen(board.card(two!).getByText('blocked'));
    await anna.call('item.complete', { id: one!.id, attempt: 1, result_summary: 'Done', files_modified: [] });
    await board.page.mouse.move(0, 0);
    await seen(board.card(two!).getByText('ready'));
  });
});

describe('steering', () => {
  test('a running item that is cancelled is stopping until its agent confirms', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Long work' });
    const agent = await connectAgent(hub, project.id, 'anna');
    await claim(agent, item.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}?show=cancelled`);
    let confirm = () => {};
    agent.socket.on('claim.cancelled', (_: unknown, stopped: () => void) => {
      confirm = stopped;
    });
    await board.column('Claimed').getByText('Long work').click();
    await board.panel(1).getByRole('button', { name: 'Cancel…' }).click();
    await board.page.getByRole('button', { name: 'Cancel the item' }).click();
    await seen(board.panel(1).getByText('stopping', { exact: true }));
    await seen(board.column('Cancelled').getByText('stopping', { exact: true }));
    await agent.hear('claim.cancelled');
    expect((await get(hub, item.id)).stopping).toBe(true);
    confirm();
    await gone(board.card(item).getByText('stopping', { exact: true }));
    await gone(board.panel(1).getByText('stopping', { exact: true }));
    await seen(board.panel(1).getByText('cancelled', { exact: true }));
    expect((await get(hub, item.id)).stopping).toBe(false);
  });

  test('a refusal says what happened', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'A race' });
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
    await board.panel(1).getByRole('button', { name: 'Cancel…' }).click();
    await finish(hub, item.id, 'agent-3');
    await board.page.getByRole('button', { name: 'Cancel the item' }).click();
    await seen(board.text('Could not cancel #1: agent-3 finished it first.'));
  });

  test('a command whose answer is lost is asked again, and happens once', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Plain' });
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
    await board.panel(1).getByRole('button', { name: 'Cancel…' }).click();
    await board.loseAnswerTo('item.cancel');
    await board.page.getByRole('button', { name: 'Cancel the item' }).click();
    await seen(board.panel(1).getByText('cancelled', { exact: true }));
    await seen(board.panel(1).getByRole('button', { name: 'Retry' }).and(board.page.locator(':enabled')));
    await board.live();
    expect(await board.text(/Could not/).count()).toBe(0);
    expect((await get(hub, item.id)).version).toBe(item.version + 1);
  });

  test('where no card has the focus, the keys act on the item in the panel', async () => {
    const project = await newProject(hub);
    const [first, second] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=2`);
    await seen(board.panel(2).getByText('Timeline'));
    await board.page.keyboard.press('3');
    await until('it has the priority', async () => (await get(hub, second!.id)).priority === 3);
    expect((await get(hub, first!.id)).version).toBe(first!.version);
  });

  test('by keyboard alone: from opening the page to a cancelled item and a retried one', async () => {
    const project = await newProject(hub);
    const [plain, broken] = await makeAll(hub, project.id, [{ title: 'Plain' }, { title: 'Broken' }]);
    await breakDown(hub, broken!.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    const press = (...keys: string[]) =>
      keys.reduce((before, key) => before.then(() => board.page.keyboard.press(key)), Promise.resolve());
    await seen(board.card(broken!));
    // Nobody has said yet which item is meant.
    await press('1', 'Backspace');
    expect(await board.page.getByRole('dialog').count()).toBe(0);
    await press('j');
    await seen(board.card(plain!).locator('a:focus'));
    await press('3');
    await until('it has the priority', async () => (await get(hub, plain!.id)).priority === 3);
    expect((await get(hub, plain!.id)).version).toBe(plain!.version + 1);
    await press('Enter');
    await seen(board.panel(1));
    await press('Backspace');
    await seen(board.page.getByRole('dialog', { name: 'Cancel #1?' }));
    await press('Enter');
    await until('it is cancelled', async () => (await get(hub, plain!.id)).status === 'cancelled');
    await press('Escape');
    await gone(board.panel(1));
    // The cancelled card stays where the focus is; the next column is the failed ones.
    await press('l', 'r');
    await until('it is in the queue', async () => (await get(hub, broken!.id)).status === 'todo');
  });

  test('a viewer sees no controls, and is refused by the hub too', async () => {
    const project = await newProject(hub);
    const broken = await make(hub, project.id, { title: 'Broken' });
    const { version } = await breakDown(hub, broken.id);
    const { token } = await call(hub, 'token.create', { role: 'viewer', label: 'looks' });
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`, { token: token.token });
    await seen(board.card(broken));
    await seen(board.panel(1).getByText('broke it').first());
    for (const name of [/Retry/, /Cancel/, /Priority: P/])
      expect(await board.page.getByRole('button', { name }).filter({ hasNotText: 'Cancelled' }).count()).toBe(
        0,
      );
    await board.page.keyboard.press('j');
    await board.page.keyboard.press('r');
    // With the cookie of this very page, whatever an operator's page would send.
    const answers = await board.page.evaluate(
      async ([id, project]) => {
        const send = async (method: string, path: string, body?: object) => {
          const answer = await fetch(`/api${path}`, {
            method,
            headers: { 'content-type': 'application/json' },
            ...(body ? { body: JSON.stringify(body) } : {}),
          });
          return `${path.split('/').at(-1)} ${answer.status}`;
        };
        return Promise.all([
          send('POST', `/items/${id}/retry`, {}),
          send('POST', `/items/${id}/cancel`, {}),
          send('PATCH', `/items/${id}`, { priority: 1 }),
          send('POST', `/projects/${project}/items`, { title: 'Not mine' }),
          send('POST', `/projects/${project}/items/bulk`, { action: 'retry', filter: {}, expected_count: 1 }),
          send('GET', '/tokens'),
          send('GET', `/items/${id}`),
        ]);
      },
      [broken.id, project.name] as const,
    );
    expect(answers.map((answer) => answer.split(' ')[1])).toEqual([...Array<string>(6).fill('403'), '200']);
    const { items } = await call(hub, 'item.list', { project: project.id });
    expect(items.map(({ status, version }) => [status, version])).toEqual([['failed', version]]);
  });
});

describe('looking', () => {
  test('filters stand in the address, and a reload comes back to the same view', async () => {
    const project = await newProject(hub);
    const [wanted, other] = await makeAll(hub, project.id, [
      { title: 'Wanted thing', task_type: 'bug', priority: 1 },
      { title: 'Other thing', task_type: 'docs', priority: 1 },
    ]);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await board.page.keyboard.press('/');
    await board.page.keyboard.type('thing');
    await board.page.getByRole('button', { name: 'Type' }).click();
    await board.page.getByRole('menuitemradio', { name: 'bug' }).click();
    await gone(board.card(other!));
    await board.card(wanted!).getByRole('link').click();
    await seen(board.panel(1));
    await expect.poll(() => new URL(board.page.url()).search).toBe('?q=thing&type=bug&item=1');
    await board.page.reload();
    await board.live();
    await seen(board.card(wanted!));
    await seen(board.panel(1));
    expect(await board.card(other!).count()).toBe(0);
    expect(await board.page.getByRole('searchbox').inputValue()).toBe('thing');
    await make(hub, project.id, { title: 'Another thing', task_type: 'bug' });
    await make(hub, project.id, { title: 'Unrelated', task_type: 'bug' });
    await board.page.mouse.move(0, 0);
    await seen(board.text('Another thing'));
    expect(await board.text('Unrelated').count()).toBe(0);
  });

  test('two changes of the address at once are both made', async () => {
    const project = await newProject(hub);
    await make(hub, project.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await board
      .column('Done')
      .getByRole('button')
      .evaluate((fold: HTMLElement) => {
        fold.click();
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'b', bubbles: true }));
      });
    await board.page.waitForURL((url) => url.search === '?show=done&blocked=show');
  });

  test('nothing moves under the pointer: what waits is counted, and comes when asked for', async () => {
    const project = await newProject(hub);
    const first = await make(hub, project.id, { title: 'First' });
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await board.card(first).hover();
    await board.page.mouse.move(100, 250);
    const second = await make(hub, project.id, { title: 'Second', priority: 0 });
    await seen(board.column('Todo').getByRole('button', { name: '+1 change' }));
    expect(await board.card(second).count()).toBe(0);
    await board.page.keyboard.press('.');
    await seen(board.card(second));
  });

  test('nothing moves while a finger scrolls through it, nor at once when it is lifted', async () => {
    const project = await newProject(hub);
    const items = await makeAll(
      hub,
      project.id,
      Array.from({ length: 60 }, () => ({})),
    );
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.card(items[0]!));
    const devtools = await board.context.newCDPSession(board.page);
    const scroll = { x: 100, y: 400, yDistance: -900, gestureSourceType: 'touch' as const };
    await devtools.send('Input.synthesizeScrollGesture', scroll);
    const urgent = await make(hub, project.id, { title: 'Urgent', priority: 0 });
    await seen(board.column('Todo').getByRole('button', { name: '+1 change' }));
    await board.page.keyboard.press('.');
    await gone(board.column('Todo').getByRole('button', { name: '+1 change' }));
    await board.page.getByRole('button', { name: 'Create', exact: true }).hover();
    await board
      .column('Todo')
      .locator('.body > div')
      .evaluate((list) => list.scrollTo(0, 0));
    await seen(board.card(urgent));
  });

  test('the focus goes back to the card when the panel that it was in is closed', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.card(item));
    for (const key of ['j', 'Enter']) await board.page.keyboard.press(key);
    await board.panel(1).getByRole('button', { name: 'Close' }).focus();
    await board.page.keyboard.press('Enter');
    await gone(board.panel(1));
    await seen(board.card(item).locator('a:focus'));
  });

  test('nothing moves while something is selected, however long', async () => {
    const project = await newProject(hub);
    const [first, second] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}`);
    await seen(board.card(second!));
    await board.page.keyboard.press('j');
    await board.page.keyboard.press('x');
    await seen(board.text('1 selected'));
    // Neither a focus nor a pointer is what holds it.
    await board.page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await finish(hub, second!.id);
    await seen(board.column('Todo').getByRole('button', { name: '+1 change' }));
    await seen(board.card(second!).getByText('done', { exact: true }));
    await board.page.getByRole('button', { name: 'Clear', exact: true }).click();
    await gone(board.card(second!));
    await seen(board.card(first!));
  });

  test('the panel stays with its item, whatever window that falls out of', async () => {
    const project = await newProject(hub);
    const item = await make(hub, project.id, { title: 'Watched', priority: 0 });
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1&type=docs`);
    await seen(board.panel(1).getByText('ready', { exact: true }));
    await finish(hub, item.id);
    await make(hub, project.id, { title: 'One more' });
    await seen(board.panel(1).getByText('done', { exact: true }));
    await board.page.keyboard.press('Escape');
    await gone(board.panel(1));
  });

  test('a long description says that it is cut, and is shown whole when asked for', async () => {
    const project = await newProject(hub);
    const lines = Array.from({ length: 80 }, (_, n) => `Line ${n + 1}`);
    await makeAll(hub, project.id, [{ description: lines.join('\n') }, { description: 'Short' }]);
    const board = await openBoard(browser(), hub, `/p/${project.name}/items/1`);
    const last = board.page.getByText(/Line 1\n/);
    const heightOf = async () => (await last.boundingBox())?.height ?? 0;
    await seen(board.page.getByRole('button', { name: 'Show all' }));
    const cut = await heightOf();
    await board.page.getByRole('button', { name: 'Show all' }).press('Enter');
    await seen(board.page.getByRole('button', { name: 'Show less' }));
    expect(await heightOf()).toBeGreaterThan(2 * cut);
    await board.page.goto(`${hub.url}/p/${project.name}/items/2`);
    await seen(board.page.getByText('Short', { exact: true }));
    await gone(board.page.getByRole('button', { name: 'Show all' }));
  });

  test('hostile titles are text, and do not break the page', async () => {
    const project = await newProject(hub);
    const titles = [
      '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>',
      'x'.repeat(500),
      '\u202Egnirts desrever\u202C {{7*7}} ${alert(1)} %00 \' " --',
      '😀'.repeat(200),
    ];
    const items = await makeAll(
      hub,
      project.id,
      titles.map((title) => ({ title, description: title })),
    );
    const board = await openBoard(browser(), hub, `/p/${project.name}?item=1`);
    for (const item of items) {
      await seen(board.card(item));
      expect(await board.card(item).getByRole('link').textContent()).toBe(item.title);
    }
    await seen(board.panel(1).getByText(titles[0]!).first());
    const isWell = async (where: string) => {
      const state = await board.page.evaluate(() => ({
        hacked: 'hacked' in window,
        wide: document.documentElement.scrollWidth > innerWidth,
      }));
      expect([where, state]).toEqual([where, { hacked: false, wide: false }]);
    };
    await isWell('board');
    await board.page.keyboard.press('Control+k');
    await board.page.keyboard.type('img');
    await seen(board.page.getByRole('option', { name: /^#1|onerror/ }));
    await isWell('palette');
    await board.page.keyboard.press('Escape');
    await board.panel(1).getByRole('button', { name: 'Cancel…' }).click();
    await seen(board.page.getByRole('dialog').getByText(titles[0]!));
    await isWell('dialog');
    await call(hub, 'item.update', { id: items[1]!.id, dependencies: items.slice(2).map(({ id }) => id) });
    for (const path of ['list', 'graph?centre=2', 'activity', 'items/1', 'items/2']) {
      await board.page.goto(`${hub.url}/p/${project.name}/${path}`);
      await seen(board.page.locator('main').getByText(titles[path.endsWith('1') ? 0 : 1]!));
      await isWell(path);
    }
  });

  test('axe finds nothing on the board, its panel and its dialogs', async () => {
    const project = await newProject(hub);
    const [one, , three] = await makeAll(hub, project.id, [
      { ref: 'a', title: 'First', task_type: 'bug', priority: 0 },
      { title: 'Second', dependencies: ['a'] },
      { title: 'Third' },
      { title: 'Fourth', files_planned: ['a.ts'] },
    ]);
    await breakDown(hub, three!.id);
    const agent = await connectAgent(hub, project.id, 'anna');
    await claim(agent, one!.id);
    const board = await openBoard(browser(), hub, `/p/${project.name}?blocked=show&item=3&show=done`);
    await seen(board.panel(3).getByText('Timeline'));
    expect(await board.violations()).toEqual([]);
    await board.page.keyboard.press('?');
    await seen(board.page.getByRole('dialog', { name: 'Keys' }));
    expect(await board.violations()).toEqual([]);
    await board.page.keyboard.press('Escape');
    await board.page.keyboard.press('Control+k');
    await board.page.keyboard.type('th');
    await seen(board.page.getByRole('option', { name: /Third/ }));
    expect(await board.violations()).toEqual([]);
  });
});
