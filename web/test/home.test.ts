import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { breakDown, finish, httpAgent, makeAll } from '../../server/test/setup/work.ts';
import { openBoard, seen, useBrowser } from './setup/board.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

test('the list of projects says how far each is, and goes on by itself', async () => {
  const [busy, quiet] = [await newProject(hub), await newProject(hub)];
  const [one, two, three] = await makeAll(hub, busy.id, [{}, {}, {}]);
  await finish(hub, one!.id);
  await breakDown(hub, two!.id);
  const board = await openBoard(browser(), hub, '/');
  const row = (name: string) => board.page.getByRole('listitem').filter({ hasText: name });
  await seen(row(busy.name).getByText('1/3 done'));
  await seen(row(busy.name).getByText('1 failed'));
  await seen(row(quiet.name).getByText('No items yet'));
  await httpAgent(hub, 'anna').claim(three!.id);
  await seen(row(busy.name).getByText('1 in work'));
  await row(busy.name).getByRole('link').click();
  await board.live();
  expect(new URL(board.page.url()).pathname).toBe(`/p/${busy.name}`);
});
