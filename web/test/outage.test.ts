import { expect, test } from 'vitest';
import { newDataDir, startChildHub } from '../../server/test/setup/child-hub.ts';
import { newProject } from '../../server/test/setup/hub.ts';
import { finish, makeAll } from '../../server/test/setup/work.ts';
import { gone, openBoard, seen, useBrowser } from './setup/board.ts';

const browser = useBrowser();

test('a hub that is killed and comes back: pill, banner, dimmed data, and nothing missing', async () => {
  const dataDir = newDataDir();
  const hub = await startChildHub({ dataDir });
  const project = await newProject(hub);
  const [one, two] = await makeAll(hub, project.id, [{ title: 'First' }, { title: 'Second' }]);
  const board = await openBoard(browser(), hub, `/p/${project.name}?show=done`);
  await seen(board.card(one!));
  await hub.end('SIGKILL');
  await board.state('reconnecting');
  await seen(board.text(/What you see is \d+s old/));
  await seen(board.card(one!));
  expect(await board.violations()).toEqual([]);
  const again = await startChildHub({ dataDir, port: hub.port });
  await finish(again, one!.id);
  await board.live();
  await gone(board.text(/What you see is/));
  await seen(board.column('Done').getByText('First'));
  await seen(board.text('1/2 done'));
  await finish(again, two!.id);
  await seen(board.column('Done').getByText('Second'));
  expect(board.faults).toEqual([]);
});
