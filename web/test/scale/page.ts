import type { Browser } from 'playwright-core';

interface Observed {
  longTasks: number[];
  frames: number;
}
type ObservedWindow = Window & { observed: Observed };

/** Opens a page, waits until it is live, and counts its long tasks and its frames from then on. */
export async function watchPage(browser: Browser, address: string) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(() => {
    const observed: Observed = { longTasks: [], frames: 0 };
    (window as unknown as ObservedWindow).observed = observed;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) observed.longTasks.push(entry.duration);
    }).observe({ type: 'longtask', buffered: true });
    const count = () => {
      observed.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
  });
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const began = performance.now();
  await page.goto(address);
  await page.locator('[data-live=live]').waitFor();
  const liveMs = performance.now() - began;
  return {
    liveMs,
    /** What is left after a collection. */
    async heapBytes(): Promise<number> {
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      return usedSize;
    },
    /** What its main thread has used of a processor, however busy the machine is with other things. */
    async busySeconds(): Promise<number> {
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
    },
    /** Counts anew. Collections, above all, are no tasks of the board's. */
    async reset(): Promise<void> {
      await page.waitForTimeout(500);
      await page.evaluate(() => {
        const { observed } = window as unknown as ObservedWindow;
        observed.longTasks.length = 0;
        observed.frames = 0;
      });
    },
    read: () =>
      page.evaluate(() => {
        const { longTasks, frames } = (window as unknown as ObservedWindow).observed;
        return { longTasks: [...longTasks], frames };
      }),
    async seq(): Promise<number> {
      const text = await page.getByTitle('Last change seen').textContent();
      return Number(text?.replace(/\D/g, ''));
    },
    lastSeq: (project: string) =>
      page.evaluate(async (name) => {
        const answer = await fetch(`/api/projects/${name}`);
        return ((await answer.json()) as { project: { last_seq: number } }).project.last_seq;
      }, project),
  };
}
