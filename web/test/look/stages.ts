import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchHub } from '../../../bench/hub.ts';
import { call } from '../setup/wire.ts';
import { hardItems, smallItems } from './items.ts';
import { screens } from './screens.ts';
import { Team, type Made } from './team.ts';

/** A project to take pictures of. */
export interface Stage {
  name: string;
  project: string;
  screens: readonly string[];
  /** Numbers of items: for the panel, for the graph, and one that failed. */
  shown: number;
  linked: number;
  failed: number;
}

interface Opening {
  name: string;
  start: (hub: BenchHub) => Promise<{ stage: Stage; close: () => Promise<void> }>;
}

const all = screens.map(({ name }) => name);
const ofTheHub = ['home', 'tokens', 'sign-in'];
const empty: readonly string[] = [
  ...ofTheHub,
  'board',
  'list',
  'graph-start',
  'agents',
  'conflicts',
  'activity',
  'help',
];
const within = all.filter((name) => !ofTheHub.includes(name));

export function stages(backlog: string | undefined): Opening[] {
  return [
    { name: 'empty', start: startEmpty },
    { name: 'small', start: startSmall },
    { name: 'hard', start: startHard },
    ...(backlog === undefined
      ? []
      : [{ name: 'backlog', start: (hub: BenchHub) => startBacklog(hub, backlog) }]),
  ];
}

async function startEmpty(hub: BenchHub) {
  const project = 'my-project';
  await call(hub, '/api/projects', { name: project });
  return {
    stage: { name: 'empty', project, screens: empty, shown: 0, linked: 0, failed: 0 },
    close: async () => {},
  };
}

/** Thirty items, and something of everything that may happen to them. */
async function startSmall(hub: BenchHub) {
  const project = 'shop';
  await call(hub, '/api/projects', {
    name: project,
    description: 'The web shop, from the schema to the till',
  });
  const { items } = await call<{ items: Made[] }>(hub, `/api/projects/${project}/items`, {
    items: smallItems,
  });
  const number = (ref: string) => items[smallItems.findIndex((one) => one.ref === ref)]!;
  const team = new Team(hub, project);
  for (const ref of ['tools', 'schema', 'login', 'logo', 'ci']) await team.finish(number(ref), 'claude-1');
  await team.work('claude-1', number('cart'), {
    progress: 62,
    note: 'totals done, now the discounts',
    files: ['src/cart/totals.ts'],
  });
  await team.work('claude-2', number('prices'), {
    progress: 15,
    note: 'reading what is there',
    files: ['src/cart/totals.ts', 'src/prices.ts'],
  });
  await team.work('codex-1', number('search'), {
    progress: 80,
    note: 'index built',
    files: ['src/search/index.ts'],
  });
  await team.work('gemini-flash', number('mail'));
  await team.work('claude-4', number('slow'), { progress: 70, note: 'one query in place of forty' });
  await team.work('cursor-1', number('double'), { progress: 45, note: 'the test fails as it should' });
  await team.work('nightly-build', number('images'), { progress: 33 });
  await team.fail(
    'codex-1',
    number('import'),
    'The supplier answers 403: its key is not set in this environment.',
  );
  await team.fail(
    'codex-1',
    number('tax'),
    'Two tests of rounding fail, and I cannot tell which of them is right.',
  );
  await call(hub, `/api/items/${number('fax').id}/cancel`, { reason: 'Nobody faxes' });
  await team.rest('claude-3');
  await team.fallSilent('nightly-build');
  const stage = {
    name: 'small',
    project,
    screens: all,
    shown: number('cart').number,
    linked: number('checkout').number,
    failed: number('import').number,
  };
  return { stage, close: () => team.close() };
}

/** What people and programs write without thinking of those who must show it. */
async function startHard(hub: BenchHub) {
  const project = 'a-project-with-a-name-that-goes-on-and-on-until-it-does-not-fit-anywhere';
  await call(hub, '/api/projects', { name: project, description: 'x'.repeat(400) });
  const { items } = await call<{ items: Made[] }>(hub, `/api/projects/${project}/items`, {
    items: hardItems,
  });
  const team = new Team(hub, project);
  const [long, , hostile, turned, failed, waits] = items as [Made, Made, Made, Made, Made, Made];
  const name = `claude-opus-on-build-server-eu-central-${'1'.repeat(60)}`;
  const file = `packages/${'deep/'.repeat(20)}a-file-with-a-very-long-name.component.test.ts`;
  await team.work(name, long, { progress: 50, note: 'n'.repeat(400), files: [file] });
  await team.work('"><script>alert(1)</script>', hostile, {
    progress: 99.9,
    note: '<b>bold</b>',
    files: [file],
  });
  await team.work('ابن', turned, {
    progress: 0,
    files: [file, ...Array.from({ length: 40 }, (_, at) => `src/${at}.ts`)],
  });
  await team.fail(name, failed, `Error: ${'x'.repeat(300)}\n    at somewhere (file.ts:1:1)\n`.repeat(20));
  const stage = {
    name: 'hard',
    project,
    screens: within,
    shown: long.number,
    linked: waits.number,
    failed: failed.number,
  };
  return { stage, close: () => team.close() };
}

/** A real backlog, as `npm run import` brings it, and agents that work it off. */
async function startBacklog(hub: BenchHub, file: string) {
  const project = 'backlog';
  await runImport(hub, file, project);
  const team = new Team(hub, project);
  await team.startLoad(24);
  const most = async (query: string) => {
    const { items } = await call<{ items: (Made & { dependencies: string[] })[] }>(
      hub,
      `/api/projects/${project}/items?${query}`,
    );
    return items.sort((a, b) => b.dependencies.length - a.dependencies.length)[0]?.number ?? 1;
  };
  const stage = {
    name: 'backlog',
    project,
    screens: all,
    shown: await team.conflictedNumber(),
    linked: await most('limit=500'),
    failed: await most('status=failed&limit=500'),
  };
  return { stage, close: () => team.close() };
}

async function runImport(hub: BenchHub, file: string, project: string): Promise<void> {
  const main = fileURLToPath(new URL('../../../agent/import/main.ts', import.meta.url));
  const env = { ...process.env, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: hub.token };
  const child = spawn(process.execPath, [main, file, '--project', project], { env, stdio: 'inherit' });
  const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
  if (code !== 0) throw new Error(`The import of ${file} ended with ${String(code)}.`);
}
