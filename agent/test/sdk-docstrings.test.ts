// The examples in the SDK's docstrings, put together into one program as they stand: each runs without an error.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken, call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { newItem } from '../../server/test/setup/steps.ts';

const agent = fileURLToPath(new URL('..', import.meta.url));
const examplesOf = (file: string) =>
  [...readFileSync(join(agent, file), 'utf8').matchAll(/(?:^ *\* {5}.*\n)+/gm)].map(([lines]) =>
    lines.replace(/^ *\* {5}/gm, ''),
  );

/** Those that only make sense within a handler; where they end it, for items of this title. */
const withinHandler = examplesOf('work/context.ts');
const files = ['client.ts', 'follow.ts', 'http.ts', 'hub-address.ts', 'call.ts', 'work/options.ts'];
const alone = files.flatMap(examplesOf);
const ending = (word: string) => withinHandler.filter((example) => example.startsWith(word)).join('');

const program = `
import * as sdk from '@switchyard/agent';
const { connect, httpCaller, findHub, followProject, DoNotRetry, Stopped } = sdk;
const { SWITCHYARD_URL: url, SWITCHYARD_TOKEN: token, ITEM: id } = process.env;
const call = httpCaller(findHub());
const ran = [];
const cleanUp = async () => {};
const opened = () => connect({ url, token, project: 'shop', agentId: 'examples' });
{
  const client = await opened();
  const worker = client.work(async ({ item, signal, progress, reportFiles, onConflict, split }) => {
    if (item.title === 'Front') { ran.push('throw'); ${ending('throw')} }
    if (item.title !== 'Shop') return;
    ${withinHandler
      .filter((example) => !/^(throw|return) /.test(example))
      .map((example) => `{ ${example} ran.push('handler'); }`)
      .join('\n')}
    ran.push('return');
    ${ending('return')}
  }, { onEvent: ({ type }) => type === 'failed' && void worker.close() });
  await worker.closed;
  await client.close();
}
${alone
  .map(
    (example) => `{
  ${/\bclient = /.test(example) ? 'let toClose;' : 'const client = await opened(); const toClose = client;'}
  ${/\bworker\b/.test(example) && !/worker = /.test(example) ? 'const worker = client.work(async () => {});' : ''}
  ${/worker\.closed/.test(example) ? 'setTimeout(() => void client.close(), 300);' : ''}
  ${example}
  ran.push('alone');
  await (toClose ?? client).close();
}`,
  )
  .join('\n')}
console.log(ran.length);
process.exit(0);
`;

let hub: TestHub;
let folder: string;
beforeAll(async () => {
  hub = await startTestHub();
  // Below the checkout, where the package is found by its name.
  folder = mkdtempSync(join(agent, 'sdk-docstrings-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await hub.stop();
});

test('every example in a docstring of the SDK runs as it stands', async () => {
  expect(withinHandler.length).toBeGreaterThan(4);
  expect(alone.length).toBeGreaterThan(10);
  const shop = await newProject(hub, { name: 'shop' });
  const { id } = await newItem(hub, shop, { title: 'Shop' });
  const file = join(folder, 'examples.ts');
  writeFileSync(file, program);
  const env = { ...process.env, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken, ITEM: id };
  const { stdout } = await promisify(execFile)(process.execPath, [file], { env });
  expect(stdout.trim().split('\n').at(-1)).toBe(String(withinHandler.length + alone.length));
  const { items } = await call(hub, 'item.list', { project: 'shop', status: 'failed' });
  expect(items[0]).toMatchObject({ title: 'Front', failure_reason: 'The schema is frozen.' });
});
