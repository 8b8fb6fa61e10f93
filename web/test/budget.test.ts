import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { make } from '../../server/test/setup/work.ts';
import { openBoard, seen, useBrowser } from './setup/board.ts';

const budgetBytes = 120 * 1024;

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
const browser = useBrowser();

test('what a browser loads to show the board is at most 120 KB of JavaScript, gzipped', async () => {
  const project = await newProject(hub);
  const item = await make(hub, project.id);
  const board = await openBoard(browser(), hub, '/');
  const files = new Set<string>();
  const plain: string[] = [];
  board.page.on('response', (response) => {
    if (!response.url().endsWith('.js')) return;
    files.add(response.url());
    if (response.status() === 200 && !response.headers()['content-encoding']) plain.push(response.url());
  });
  await board.page.goto(`${hub.url}/p/${project.name}`);
  await seen(board.card(item));
  await board.page.waitForLoadState('networkidle');
  const sizes = await Promise.all(
    [...files].map(async (url) => gzipSync(await (await fetch(url)).bytes()).length),
  );
  const total = sizes.reduce((sum, one) => sum + one, 0);
  console.info(`first load: ${(total / 1024).toFixed(1)} KB of JavaScript, gzipped`);
  expect(plain, 'sent uncompressed').toEqual([]);
  expect(total).toBeGreaterThan(20_000);
  expect(total).toBeLessThanOrEqual(budgetBytes);
});
