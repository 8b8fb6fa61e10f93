import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import type { BenchHub } from '../../../bench/hub.ts';
import { cpuOf, cpuOfFamily } from '../../../bench/cpu.ts';
import { watchPage, type WatchedPage } from './page.ts';
import { recordTasks, type Task } from './tasks.ts';

/** What is loaded and compiled once is no leak: memory is compared from here on. */
const warmUpMs = 10_000;
const longMs = 50;
/** A frame at 60 a second: what costs more of a processor than that is seen. */
const frameMs = 1_000 / 60;
/** Recording every task costs something too, so it goes on for a part of the time only. */
const recordedMsMax = 20_000;
const tasksShown = 3;

export interface Plan {
  hub: BenchHub;
  project: string;
  /** Under the project's address, with what follows it. */
  path: string;
  seconds: number;
  /** A line each. */
  sampleSeconds: number;
}

/** One screen, open for so long while the project changes. */
export async function measureScreen(browser: Browser, plan: Plan): Promise<void> {
  const { hub, project, path } = plan;
  const page = await watchPage(browser, `${hub.url}/p/${project}${path}#token=${hub.token}`);
  try {
    console.log(`\n${path || '/'}: live after ${Math.round(page.liveMs)} ms: ${page.stages}`);
    await sleep(warmUpMs);
    const recorder = await browser.newBrowserCDPSession();
    const record = (ms: number) => recordTasks(recorder, () => sleep(ms));
    const began = performance.now();
    const { heapBytes, nodes, listeners } = await page.sizes();
    console.log(
      `at the beginning: ${mb(heapBytes)} after a collection, ${nodes} nodes, ${listeners} listeners`,
    );
    while (performance.now() - began < plan.seconds * 1_000) await sample(page, plan, began, record);
    await recorder.detach();
  } finally {
    await page.close();
  }
}

async function sample(
  page: WatchedPage,
  { hub, project, sampleSeconds }: Plan,
  began: number,
  record: (ms: number) => Promise<Task[]>,
): Promise<void> {
  await page.reset();
  const cpu = () => ({ hub: cpuOf(hub.pid()), postgres: cpuOfFamily(hub.postgresPid()) });
  const before = { seq: await page.lastSeq(project), busy: await page.busySeconds(), cpu: cpu() };
  const start = performance.now();
  const recordedMs = Math.min(recordedMsMax, sampleSeconds * 500);
  const tasks = await record(recordedMs);
  await sleep(Math.max(0, sampleSeconds * 1_000 - (performance.now() - start)));
  const lasted = (performance.now() - start) / 1_000;
  const after = { seq: await page.lastSeq(project), busy: await page.busySeconds(), cpu: cpu() };
  const { longTasks, frames } = await page.read();
  const shown = await page.seq();
  const behind = (await page.lastSeq(project)) - shown;
  const { heapBytes, nodes, listeners } = await page.sizes();
  const share = (from: number | null, to: number | null) =>
    from === null || to === null ? '?' : `${((100 * (to - from)) / lasted).toFixed(0)} %`;
  const per = (count: number) => (count / lasted).toFixed(0);
  console.log(
    `${((performance.now() - began) / 60_000).toFixed(1)} min: ${mb(heapBytes)}, ${nodes} nodes, ${listeners} listeners; ` +
      `${per(after.seq - before.seq)} changes and ${per(frames)} frames a second, ${behind} lines behind; ` +
      `of a processor the page's thread ${share(before.busy, after.busy)}, the hub ${share(before.cpu.hub, after.cpu.hub)}, ` +
      `PostgreSQL ${share(before.cpu.postgres, after.cpu.postgres)}`,
  );
  console.log(
    `  by the clock ${longTasks.length} tasks over ${longMs} ms, the longest ${ms(Math.max(0, ...longTasks))}`,
  );
  describeTasks(tasks, recordedMs / 1_000);
}

function describeTasks(tasks: Task[], seconds: number): void {
  const costly = tasks.toSorted((a, b) => b.cpuMs - a.cpuMs);
  const over = (bound: number) => costly.filter(({ cpuMs }) => cpuMs > bound).length;
  console.log(
    `  by the thread's own time, in ${seconds} s of it: ${over(longMs)} over ${longMs} ms, ${over(frameMs)} over a frame of ${ms(frameMs)}, the longest:`,
  );
  for (const { cpuMs, wallMs, parts } of costly.slice(0, tasksShown))
    console.log(`    ${ms(cpuMs)} (${ms(wallMs)} by the clock): ${parts}`);
}

const mb = (bytes: number) => `${(bytes / 1_048_576).toFixed(1)} MB`;
const ms = (value: number) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
