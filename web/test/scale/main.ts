// Measures the board with a project of 100,000 items and 200 changes a second: long tasks, frames, memory. Not part of
// `npm test`, because it takes minutes. It needs a built board.
//
//     node web/test/scale/main.ts --items 100000 --rate 200 --seconds 60 --screen activity
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startHub, type BenchHub } from '../../../bench/hub.ts';
import { launchChromium } from '../setup/chromium.ts';
import { startLoad, type Load } from './load.ts';
import { watchPage } from './page.ts';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    /** Under the project's address: nothing for the board, else agents, conflicts, activity, list … */
    screen: { type: 'string', default: '' },
  },
});
const items = Number(values.items);
const rate = Number(values.rate);
const seconds = Number(values.seconds);
const perCreate = 1_000;
/** What is loaded and compiled once is no leak: memory is compared from here on. */
const warmUpMs = 10_000;
const longMs = 50;

async function ask<T>(hub: BenchHub, path: string, body: unknown): Promise<T> {
  const headers = { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${hub.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function fill(hub: BenchHub): Promise<string> {
  const name = 'scale';
  await ask(hub, '/api/projects', { name });
  for (let made = 0; made < items; made += perCreate) {
    const some = Array.from({ length: Math.min(perCreate, items - made) }, (_, at) => ({
      title: `Item ${made + at + 1} of a project that is too large to be read`,
      priority: (made + at) % 10,
      files_planned: [`src/part-${made + at}.ts`],
    }));
    await ask(hub, `/api/projects/${name}/items`, { items: some });
  }
  return name;
}

async function measure(hub: BenchHub, project: string): Promise<void> {
  const browser = await launchChromium();
  let load: Load | undefined;
  try {
    const page = await watchPage(browser, `${hub.url}/p/${project}/${values.screen}#token=${hub.token}`);
    console.log(`first page to live: ${Math.round(page.liveMs)} ms`);
    load = await startLoad(hub, project, rate);
    await sleep(warmUpMs);
    const before = await page.heapBytes();
    await page.reset();
    const seqBefore = await page.lastSeq(project);
    const busyBefore = await page.busySeconds();
    const began = performance.now();
    await sleep(seconds * 1_000);
    const lasted = (performance.now() - began) / 1_000;
    const changes = (await page.lastSeq(project)) - seqBefore;
    const { longTasks, frames } = await page.read();
    const busy = (await page.busySeconds()) - busyBefore;
    const after = await page.heapBytes();
    const mb = (bytes: number) => (bytes / 1_048_576).toFixed(1);
    console.log(
      `${items} items, ${(changes / lasted).toFixed(0)} changes a second for ${lasted.toFixed(0)} s`,
    );
    console.log(
      `frames: ${(frames / lasted).toFixed(0)} a second, the page's thread at work ${((100 * busy) / lasted).toFixed(0)} % of the time`,
    );
    const longest = Math.round(Math.max(0, ...longTasks));
    console.log(`tasks over ${longMs} ms: ${longTasks.length}, the longest ${longest} ms`);
    console.log(`memory after a collection: ${mb(before)} MB before, ${mb(after)} MB after`);
    console.log(`the board shows line ${await page.seq()} of ${await page.lastSeq(project)}`);
  } finally {
    load?.stop();
    await browser.close();
  }
}

let stop = () => Promise.resolve();
const hub = await startHub(
  (error) => {
    throw error;
  },
  (how) => (stop = how),
);
try {
  await measure(hub, await fill(hub));
} finally {
  await stop();
}
