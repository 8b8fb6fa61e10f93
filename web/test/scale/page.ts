import type { Browser, CDPSession } from 'playwright-core';

interface Observed {
  longTasks: number[];
  frames: number;
}
type ObservedWindow = Window & { observed: Observed };

export interface Sizes {
  heapBytes: number;
  nodes: number;
  listeners: number;
}

export type WatchedPage = Awaited<ReturnType<typeof watchPage>>;

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
  const stages = await stagesOf(session);
  await page.goto(address, { waitUntil: 'commit' });
  await page.locator('[data-live=live]').waitFor();
  const liveMs = performance.now() - began;
  const way = await stages();
  const metrics = async () => {
    const { metrics: all } = await session.send('Performance.getMetrics');
    return (name: string) => all.find((one) => one.name === name)?.value ?? NaN;
  };
  return {
    liveMs,
    /** What the way there was made of. */
    stages: way,
    /** What is left after a collection. */
    async sizes(): Promise<Sizes> {
      await session.send('HeapProfiler.collectGarbage');
      const { usedSize } = await session.send('Runtime.getHeapUsage');
      const of = await metrics();
      return { heapBytes: usedSize, nodes: of('Nodes'), listeners: of('JSEventListeners') };
    },
    /** What its main thread has used of a processor, however busy the machine is with other things. */
    busySeconds: async () => (await metrics())('TaskDuration'),
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
    close: () => context.close(),
  };
}

/** Notes when what happened on the network, from the first request on; the answer to `project.watch` with its size. */
async function stagesOf(session: CDPSession): Promise<() => Promise<string>> {
  await session.send('Network.enable');
  const at = new Map<string, number>();
  let watchBytes = 0;
  let scripts = 0;
  /** The answer bears the number of the question: `42<n>["project.watch",…]` and `43<n>[…]`. */
  let question: string | undefined;
  const note = (name: string, timestamp: number) => void (at.has(name) || at.set(name, timestamp));
  /** Of the network's clock, in seconds, to the one of the calendar. */
  let offset = 0;
  session.on('Network.requestWillBeSent', ({ timestamp, wallTime, request }) => {
    offset = wallTime - timestamp;
    note('began', timestamp);
    if (new URL(request.url).pathname === '/api/session') note('code', timestamp);
  });
  session.on('Network.responseReceived', ({ type }) => (scripts += Number(type === 'Script')));
  session.on('Network.webSocketWillSendHandshakeRequest', ({ timestamp }) => note('socket', timestamp));
  session.on('Network.webSocketFrameSent', ({ timestamp, response }) => {
    const asked = /^42(\d+)\["project\.watch"/.exec(response.payloadData)?.[1];
    if (asked === undefined) return;
    question ??= asked;
    note('asked', timestamp);
  });
  session.on('Network.webSocketFrameReceived', ({ timestamp, response }) => {
    if (question === undefined || !response.payloadData.startsWith(`43${question}[`)) return;
    watchBytes ||= response.payloadData.length;
    note('answered', timestamp);
  });
  return async () => {
    note('live', Date.now() / 1_000 - offset);
    await session.send('Network.disable');
    const ms = (from: string, to: string) =>
      `${Math.round(((at.get(to) ?? NaN) - (at.get(from) ?? NaN)) * 1_000)} ms`;
    return (
      `page and ${scripts} scripts ${ms('began', 'code')}, session and projects ${ms('code', 'socket')}, ` +
      `socket ${ms('socket', 'asked')}, first window ${ms('asked', 'answered')} (${Math.round(watchBytes / 1_024)} kB), ` +
      `shown ${ms('answered', 'live')}`
    );
  };
}
