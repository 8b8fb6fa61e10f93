// Measures the board with a project of 100,000 items and 200 changes a second: time to live, long tasks, frames, memory.
// Not part of `npm test`, because it takes minutes. It needs a built board.
//
//     node web/test/scale/main.ts --items 100000 --rate 200 --seconds 60 --screen activity
//     node web/test/scale/main.ts --seconds 3600            # for an hour, a line a minute
//     node web/test/scale/main.ts --seconds 30 --screen all
import { parseArgs } from 'node:util';
import { startHub, type BenchHub } from '../../../bench/hub.ts';
import { launchChromium } from '../setup/chromium.ts';
import { fill } from './fill.ts';
import { startLoad } from './load.ts';
import { measureScreen } from './measure.ts';

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '60' },
    /** Seconds to a line. */
    sample: { type: 'string', default: '60' },
    /** By comma: nothing or `board`, list, agents, conflicts, activity, `panel`, `page`; or `all`. */
    screen: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);
const project = 'scale';

/** Addresses below the project's. */
const screens: Record<string, (heldNumber: number) => string> = {
  board: () => '',
  list: () => '/list',
  agents: () => '/agents',
  conflicts: () => '/conflicts',
  activity: () => '/activity',
  // Beside the board, and at its own address: an item that changes all the time.
  panel: (heldNumber) => `?item=${heldNumber}`,
  page: (heldNumber) => `/items/${heldNumber}`,
};
const names = values.screen === 'all' ? Object.keys(screens) : (values.screen || 'board').split(',');

async function measure(hub: BenchHub): Promise<void> {
  const browser = await launchChromium();
  const load = await startLoad(hub, project, Number(values.rate));
  try {
    for (const name of names) {
      const path = screens[name]?.(load.heldNumber);
      if (path === undefined) throw new Error(`There is no screen "${name}".`);
      const sampleSeconds = Math.min(seconds, Number(values.sample));
      await measureScreen(browser, { hub, project, path, seconds, sampleSeconds });
    }
  } finally {
    load.stop();
    await browser.close();
  }
}

let stop = () => Promise.resolve();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void stop().finally(() => process.exit(1)));
const hub = await startHub(
  (error) => {
    throw error;
  },
  (how) => (stop = how),
);
try {
  await fill(hub, project, Number(values.items));
  await measure(hub);
} finally {
  await stop();
}
