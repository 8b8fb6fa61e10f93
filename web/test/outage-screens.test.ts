// The hub goes and comes back while other screens than the board are looked at; and its database is put back.
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { newProject } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { finish, httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser } from './setup/board.ts';
import { mortalHubs } from './setup/mortal.ts';

const browser = useBrowser();

test('every screen says that the hub is gone, keeps what it shows, and catches up', async () => {
  const hubs = await mortalHubs();
  const hub = await hubs.start();
  const project = await newProject(hub);
  const [one, two] = await makeAll(hub, project.id, [
    { title: 'First', files_planned: ['a.ts'] },
    { title: 'Second', files_planned: ['a.ts'] },
  ]);
  await httpAgent(hub, 'anna').claim(one!.id);
  const open = (path: string) => openBoard(browser(), hub, `/p/${project.name}/${path}`);
  const agents = await open('agents');
  const conflicts = await open('conflicts');
  const activity = await open('activity');
  const item = await open('items/1');
  const all = [agents, conflicts, activity, item];
  await seen(activity.text('claimed, attempt 1'));
  await hub.end('SIGKILL');
  for (const board of all) {
    await board.state('reconnecting');
    await seen(board.text(/What you see is \d+s old/));
  }
  await seen(agents.page.getByRole('article', { name: 'anna' }));
  await seen(activity.text('claimed, attempt 1'));
  const again = await hubs.start({ port: hub.port });
  await httpAgent(again, 'ben').claim(two!.id);
  for (const board of all) await board.live();
  await seen(agents.page.getByRole('article', { name: 'ben' }).getByText('#2 Second'));
  await seen(conflicts.page.getByRole('list', { name: 'Items that share a.ts' }).getByText('ben'));
  await httpAgent(again, 'anna').complete(one!.id, 1);
  await seen(item.text('done').first());
  await seen(activity.text('completed'));
  expect(await activity.text('claimed, attempt 1').count()).toBe(2);
  await seen(conflicts.page.getByRole('heading', { name: 'All clear' }));
});

test('a screen that was never opened waits for the hub, and the board stays', async () => {
  const hubs = await mortalHubs();
  const hub = await hubs.start();
  const project = await newProject(hub);
  await make(hub, project.id, { title: 'First' });
  const board = await openBoard(browser(), hub, `/p/${project.name}`);
  await hub.end('SIGKILL');
  await board.state('reconnecting');
  await board.page.getByRole('link', { name: 'Activity' }).click();
  await seen(board.text('it opens by itself once the hub is back'));
  await seen(board.text('0/1 done'));
  await hubs.start({ port: hub.port });
  await board.live();
  await seen(board.page.getByRole('list', { name: 'Lines of the log' }).getByText('#1 First'));
});

test('whoever cannot sign out hears it', async () => {
  const hubs = await mortalHubs();
  const hub = await hubs.start();
  const board = await openBoard(browser(), hub, '/');
  const button = board.page.getByRole('button', { name: 'Sign out' });
  await seen(button);
  await hub.end('SIGKILL');
  await button.click();
  await seen(board.text('Could not sign out.'));
  await seen(button);
});

test('a database that was put back: the board starts anew from what there is', async () => {
  const hubs = await mortalHubs();
  const { database } = hubs;
  const hub = await hubs.start();
  const project = await newProject(hub);
  const first = await make(hub, project.id, { title: 'First' });
  await hub.end('SIGTERM');
  const backup = `${database.database}_backup`;
  const sql = postgres({ ...database, database: 'postgres', max: 1, onnotice: () => {} });
  await until('a copy is made', () =>
    sql.unsafe(`CREATE DATABASE ${backup} TEMPLATE ${database.database}`).catch(() => false),
  );
  await sql.end();
  const second = await hubs.start({ port: hub.port });
  const board = await openBoard(browser(), second, `/p/${project.name}?show=done`);
  const log = await openBoard(browser(), second, `/p/${project.name}/activity`);
  const lost = await make(second, project.id, { title: 'Lost' });
  await finish(second, first.id);
  await seen(board.column('Done').getByText('First'));
  await seen(board.card(lost));
  await seen(log.text('completed'));
  await second.end('SIGTERM');
  const third = await hubs.start({ port: hub.port, name: backup });
  await board.live();
  await seen(board.column('Todo').getByText('First'));
  await gone(board.card(lost));
  await seen(board.text('0/1 done'));
  await gone(log.text('completed'));
  expect(await log.text('created').count()).toBe(1);
  await finish(third, first.id);
  await seen(board.column('Done').getByText('First'));
  await seen(log.text('completed'));
});
