import type { Browser, Locator, Page } from 'playwright-core';
import type { BenchHub } from '../../../bench/hub.ts';

export type Theme = 'light' | 'dark';

/** A page that is signed in, and takes pictures. */
export interface Camera {
  page: Page;
  /** Shows an address of the hub, signed in; of a project, once it is live. */
  go(path: string): Promise<void>;
  /** Cuts the board off from the hub, until the next `go`. */
  cut(): Promise<void>;
  take(file: string): Promise<void>;
  close(): Promise<void>;
}

/** What came over the wire, and was laid out in another thread, is drawn. */
const settleMs = 350;

export async function openCamera(
  browser: Browser,
  hub: BenchHub,
  { theme, width, height }: { theme: Theme; width: number; height: number },
): Promise<Camera> {
  const touch = width < 700;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    hasTouch: touch,
    isMobile: touch,
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  let away = false;
  let open: { close(): Promise<void> }[] = [];
  await page.routeWebSocket(/socket\.io/, (socket) => {
    open.push(socket);
    if (away) void socket.close();
    else socket.connectToServer();
  });
  return {
    page,
    async go(path) {
      away = false;
      open = [];
      // Another document each time, so that nothing of the last screen is left.
      await page.goto('about:blank');
      await page.goto(`${hub.url}${path}#token=${hub.token}`);
      await page.waitForFunction(() => location.hash === '');
      if (path.startsWith('/p/')) await page.locator('[data-live=live]').waitFor();
    },
    async cut() {
      away = true;
      await Promise.all(open.map((socket) => socket.close()));
    },
    async take(file) {
      await page.waitForTimeout(settleMs);
      await page.screenshot({ path: file });
    },
    close: () => context.close(),
  };
}

export const seen = (locator: Locator) => locator.first().waitFor({ state: 'visible' });
