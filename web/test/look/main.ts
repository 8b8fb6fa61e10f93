// Pictures of every screen, to be looked at: an empty project, a small one with agents at work, one of hard cases, and a
// backlog of your own under load; in both themes, on a phone, a laptop and a large screen. Not part of `npm test`, because
// only eyes can judge it. It needs a built board.
//
//     node web/test/look/main.ts --out FOLDER [--backlog issues.jsonl] [--stages small,hard] [--screens board,list]
//         [--themes light] [--widths 390,1280]
//
// A picture is named STAGE-SCREEN-WIDTH-THEME.png.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startHub, type BenchHub } from '../../../bench/hub.ts';
import { launchChromium } from '../setup/chromium.ts';
import { openCamera, type Theme } from './camera.ts';
import { screens } from './screens.ts';
import { stages, type Stage } from './stages.ts';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    /** What `npm run import` reads; without one, that stage is left out. */
    backlog: { type: 'string' },
    stages: { type: 'string' },
    screens: { type: 'string' },
    themes: { type: 'string', default: 'light,dark' },
    widths: { type: 'string', default: '390,1280,1920' },
  },
});
if (values.out === undefined) throw new Error('Say where the pictures go: --out FOLDER');
const out = values.out;
mkdirSync(out, { recursive: true });

const heights: Record<string, number> = { 390: 844, 1280: 800, 1920: 1080 };
const chosen = (names: string | undefined, all: readonly string[]) => names?.split(',') ?? all;

async function shoot(hub: BenchHub, stage: Stage): Promise<void> {
  const browser = await launchChromium();
  try {
    for (const theme of values.themes.split(',') as Theme[])
      for (const width of values.widths.split(',')) {
        const height = heights[width] ?? Math.round(Number(width) * 0.625);
        const camera = await openCamera(browser, hub, { theme, width: Number(width), height });
        for (const { name, show } of screens.filter((one) => stage.screens.includes(one.name))) {
          if (!chosen(values.screens, stage.screens).includes(name)) continue;
          const file = `${stage.name}-${name}-${width}-${theme}.png`;
          // One that cannot be taken is no reason to go without the others.
          await show(camera, stage)
            .then(() => camera.take(join(out, file)))
            .catch((error: unknown) => console.error(`${file}: ${String(error)}`));
        }
        await camera.close();
      }
  } finally {
    await browser.close();
  }
}

let stop = () => Promise.resolve();
const hub = await startHub(
  (error) => {
    throw error;
  },
  (how) => {
    stop = how;
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => void how().then(() => process.exit(1)));
  },
  // An agent that is stale must stay so until its picture is taken.
  { SWITCHYARD_LEASE_SECONDS: '1800' },
);
try {
  for (const open of stages(values.backlog)) {
    if (!chosen(values.stages, [open.name]).includes(open.name)) continue;
    const { stage, close } = await open.start(hub);
    console.log(`${stage.name}: ${hub.url}/p/${stage.project}`);
    await shoot(hub, stage);
    await close();
  }
} finally {
  await stop();
}
