// The programs of docs/sdk.md, as they stand, each a process of its own: they print what the page says.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { adminToken, call, connectAgent, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { getItem, newItem } from '../../server/test/setup/steps.ts';
import { until } from '../../server/test/setup/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/sdk.md'), 'utf8');
const programs = [...page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```(?:\n\n```text\n([\s\S]*?)```)?/g)].map(
  ([, name, code, printed]) => ({ name: name!, code: code!, printed: printed ?? '' }),
);

let hub: TestHub;
let folder: string;
beforeAll(async () => {
  hub = await startTestHub();
  // Below the checkout, where the package is found by its name.
  folder = mkdtempSync(join(root, 'agent', 'sdk-docs-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await hub.stop();
});

const shop = { id: 'shop' };
const isDone = (item: Item) => async () => (await getItem(hub, item.id)).status === 'done';

/** What has to be there before a program starts; what it answers happens while it runs. */
const scenes: Record<string, () => Promise<(() => Promise<unknown>) | void>> = {
  'outcomes.ts': async () => {
    await newItem(hub, shop, { title: 'Test the schema', task_type: 'test' });
    await newItem(hub, shop, { title: 'Say how to run it', task_type: 'docs' });
  },
  'cancel.ts': async () => {
    const { id } = await newItem(hub, shop, { title: 'Rename everything' });
    return async () => {
      await until('it is claimed', async () => (await getItem(hub, id)).status === 'claimed');
      await call(hub, 'item.cancel', { id, reason: 'we keep the names' });
      await until('it has stopped', async () => !(await getItem(hub, id)).stopping);
    };
  },
  'conflicts.ts': async () => {
    const ben = await connectAgent(hub, 'shop', 'ben');
    const { id } = await newItem(hub, shop, { title: 'Round prices', files_planned: ['src/prices.ts'] });
    await ben.call('item.claim', { id });
    const mine = await newItem(hub, shop, { title: 'Add taxes' });
    return async () => {
      await until('it is done', isDone(mine));
      await ben.call('item.complete', { id, attempt: 1, result_summary: 'ok' });
    };
  },
  'split.ts': async () => {
    const epic = await newItem(hub, shop, { title: 'Build the shop', task_type: 'epic' });
    return async () => {
      await until('it is done', isDone(epic));
      expect((await getItem(hub, epic.id)).result_summary).toBe('Integrated Front and Back');
    };
  },
  'lost.ts': async () => {
    const item = await newItem(hub, shop, { title: 'Ship it' });
    return () => until('it is done', isDone(item));
  },
};

function start(
  name: string,
  code: string,
): { child: ChildProcess; said: () => { out: string; error: string } } {
  const file = join(folder, name);
  writeFileSync(file, code);
  const child = spawn(process.execPath, [file], {
    cwd: folder,
    env: { PATH: process.env.PATH, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken },
  });
  const said = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.error += text));
  return { child, said: () => said };
}

test('the page has programs', () => {
  expect(programs.map(({ name }) => name)).toEqual([
    ...[
      'first.ts',
      'work.ts',
      'outcomes.ts',
      'cancel.ts',
      'conflicts.ts',
      'split.ts',
      'lost.ts',
      'follow.ts',
    ],
  ]);
});

test.each(programs)('$name', async ({ name, code, printed }) => {
  const during = await scenes[name]?.();
  const { child, said } = start(name, code);
  const closed = once(child, 'close');
  await during?.();
  const handlesSignal = code.includes('SIGTERM');
  const lines = handlesSignal ? printed.replace(/\d done\n/, '') : printed;
  await until('it has printed its lines', () => said().out.startsWith(lines) || said().error !== '');
  // Most work on for ever; those that say how to close do so.
  if (name === 'work.ts') await until('all is done', async () => (await progress()).done === 2);
  if (code.includes('worker.closed')) child.kill('SIGTERM');
  const [exitCode, signal] = (await closed) as [number | null, string | null];
  expect(said()).toEqual({ out: printed, error: '' });
  if (handlesSignal || !code.includes('worker.closed')) expect([exitCode, signal]).toEqual([0, null]);
});

const progress = async () => (await call(hub, 'project.progress', { project: 'shop' })).progress;
