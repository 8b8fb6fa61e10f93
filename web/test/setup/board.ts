// A board in a real browser, as a person has it open.
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished, vi } from 'vitest';
import { adminToken } from '../../../server/test/setup/hub.ts';
import { setClockOff } from '../../../server/test/setup/wrong-clock.ts';
import { violationsOf } from './axe.ts';
import { launchChromium } from './chromium.ts';

export interface BoardOptions {
  token?: string;
  width?: number;
  height?: number;
  /** Lets things move: elsewhere nothing does, so that what is looked at is what it comes to. */
  motion?: boolean;
  /** How far the browser's clock is off. */
  clockOffBySeconds?: number;
}

/** How long something may take to appear. Far above what it takes, so that a busy machine is no failure. */
const appearsWithinMs = 15_000;
/** And a whole test. */
const testWithinMs = 60_000;

/** One browser for a test file. Call it at the top level, before any test; the function answers with it. */
export function useBrowser(): () => Browser {
  vi.setConfig({ testTimeout: testWithinMs });
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  return () => browser;
}

/** A page of a hub, signed in, and live if `path` is a project's. What goes wrong in it fails the test. */
export async function openBoard(
  browser: Browser,
  hub: { url: string },
  path: string,
  { token = adminToken, ...options }: BoardOptions = {},
): Promise<Board> {
  const board = await openBlank(browser, hub, `${path}#token=${token}`, options);
  // The token leaves the address once it was traded for a cookie.
  await board.page.waitForFunction(() => location.hash === '');
  if (path.startsWith('/p/')) await board.live();
  return board;
}

/** The same for somebody whom the hub does not know yet. */
export async function openBlank(
  browser: Browser,
  hub: { url: string },
  path: string,
  { width = 1280, height = 800, motion = false, clockOffBySeconds = 0 }: Omit<BoardOptions, 'token'> = {},
): Promise<Board> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: 'light',
    reducedMotion: motion ? 'no-preference' : 'reduce',
  });
  context.setDefaultTimeout(appearsWithinMs);
  if (clockOffBySeconds !== 0) await context.addInitScript(setClockOff, clockOffBySeconds * 1_000);
  const page = await context.newPage();
  const board = new Board(page, context, hub.url);
  onTestFinished(async () => {
    await context.close();
    if (board.faults.length > 0) throw new Error(`the page had faults:\n${board.faults.join('\n')}`);
  });
  await page.goto(`${hub.url}${path}`);
  return board;
}

export class Board {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly hubUrl: string;
  /** Uncaught exceptions, and what the page's own policy forbade. */
  readonly faults: string[] = [];

  constructor(page: Page, context: BrowserContext, hubUrl: string) {
    this.page = page;
    this.context = context;
    this.hubUrl = hubUrl;
    page.on('pageerror', (error) => this.faults.push(error.stack ?? error.message));
    page.on('console', (message) => {
      if (/Content Security Policy/i.test(message.text())) this.faults.push(message.text());
    });
  }

  /** Waits until the pill says so. */
  async live(): Promise<void> {
    await this.state('live');
  }

  async state(state: 'connecting' | 'catching_up' | 'live' | 'reconnecting' | 'offline'): Promise<void> {
    await this.page.locator(`[data-live=${state}]`).waitFor({ timeout: 20_000 });
  }

  column(label: 'Todo' | 'Claimed' | 'Failed' | 'Done' | 'Cancelled'): Locator {
    return this.page.getByRole('region', { name: label, exact: true });
  }

  /** The card of an item, in whichever column. */
  card(item: { id: string }): Locator {
    return this.page.locator(`.card[data-item="${item.id}"]`);
  }

  /** The panel at the right. */
  panel(number: number): Locator {
    return this.page.getByRole('complementary', { name: `Item #${number}` });
  }

  text(text: string | RegExp): Locator {
    return this.page.getByText(text);
  }

  /** The next command of this name is sent, and the line is cut before its answer comes back. */
  async loseAnswerTo(command: string): Promise<void> {
    await this.page.evaluate((command) => {
      const send = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'send')!.value as WebSocket['send'];
      WebSocket.prototype.send = function (data) {
        send.call(this, data);
        if (typeof data !== 'string' || !data.includes(command)) return;
        WebSocket.prototype.send = send;
        this.onmessage = null;
        setTimeout(() => this.close(), 300);
      };
    }, command);
  }

  /** What axe finds against WCAG 2.2 AA in both themes, as one line a finding. */
  violations(): Promise<string[]> {
    return violationsOf(this.page);
  }
}

/** Waits until a locator is seen. */
export const seen = (locator: Locator) => locator.first().waitFor({ state: 'visible' });
/** Waits until it is not. */
export const gone = (locator: Locator) => locator.first().waitFor({ state: 'hidden' });
