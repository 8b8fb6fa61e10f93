// `switchyard watch` with filters: what of the log it tells, first of what was and then of what happens.
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Event, Item } from '@switchyard/shared/item';
import { call, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { until } from '../../server/test/setup/until.ts';
import { httpAgent, make } from '../../server/test/setup/work.ts';
import { bin, envOf, promptOf, start } from './cli.ts';
import { proxyTo } from './proxy.ts';

let hub: TestHub;
let project: string;
let item: Item;
const anna = () => httpAgent(hub, 'anna');
const ben = () => httpAgent(hub, 'ben');
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

/** Anna has the first item; ben had the second. */
beforeEach(async () => {
  project = (await newProject(hub)).name;
  item = await make(hub, project, { title: 'the schema' });
  const other = await make(hub, project, { title: 'the queries' });
  await anna().claim(item.id);
  await ben().claim(other.id);
  await ben().files(other.id, 1, ['src/a.ts']);
  await ben().complete(other.id, 1);
});

const { run, codeOf } = promptOf(() => ({ hub, project }));

/** Watches with these flags. */
function watching(flags: string[], url = hub.url) {
  const args = [bin, 'watch', '--json', ...flags];
  const child = start([process.execPath, ...args], envOf({ url }, { SWITCHYARD_PROJECT: project }));
  const events = () =>
    child
      .stdout()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Event);
  return {
    events,
    types: () => events().map(({ type }) => type),
    said: () => child.stderr(),
    async end() {
      child.process.kill('SIGINT');
      expect((await child.ended).code).toBe(0);
    },
  };
}

test('--by tells what an agent did, and what others did to its claims: the last that fit, and what comes', async () => {
  const watched = watching(['--by', 'anna', '--tail', '1']);
  await until('it has told the last', () => watched.events().length === 1);
  expect(watched.types()).toEqual(['item.claimed']);
  const third = await make(hub, project);
  await ben().claim(third.id);
  await call(hub, 'item.cancel', { id: item.id }); // which names no agent, but the session of its claim
  await ben().complete(third.id, 1);
  const fourth = await make(hub, project);
  await anna().claim(fourth.id);
  await until('it has told the end', () => watched.events().at(-1)?.item_id === fourth.id);
  expect(watched.types()).toEqual(['item.claimed', 'item.cancelled', 'item.claimed']);
  expect(watched.events()[1]).toMatchObject({ actor: 'admin', item_id: item.id, item: { number: 1 } });
  await watched.end();
});

test('--type and --item hold together, and --after begins where it says', async () => {
  const whole = watching(['--type', 'item.created,item.claimed', '--item', '#1', '--after', '0']);
  const rest = watching(['--item', '1', '--after', '1', '--type', 'item.claimed,item.failed']);
  const none = watching(['--type', 'item.claimed', '--tail', '0']);
  await until('it has told what was', () => whole.events().length === 2 && rest.events().length === 1);
  await anna().heartbeat(item.id, 1, { progress: 50 });
  await anna().fail(item.id, 1);
  await call(hub, 'item.retry', { id: item.id });
  await ben().claim(item.id);
  for (const watched of [whole, rest, none])
    await until('it has told the end', () => watched.events().at(-1)?.actor === 'ben');
  expect(whole.types()).toEqual(['item.created', 'item.claimed', 'item.claimed']);
  expect(rest.types()).toEqual(['item.claimed', 'item.failed', 'item.claimed']);
  expect(none.types()).toEqual(['item.claimed']);
  for (const watched of [whole, rest, none]) await watched.end();
});

test('nothing that fits is missed or told twice over a lost connection', async () => {
  const proxy = await proxyTo(hub.url);
  onTestFinished(() => proxy.close());
  const watched = watching(['--item', '1', '--after', '0'], proxy.url);
  await anna().heartbeat(item.id, 1, { progress: 20 });
  await until('it has told what was, and what came', () => watched.events().length === 3);
  await anna().heartbeat(item.id, 1, { progress: 30 });
  await until('it hears of all that comes', () => watched.events().length === 4);
  proxy.down();
  await until('it has noticed', () => watched.said().includes('The hub is away'));
  await anna().heartbeat(item.id, 1, { progress: 50 });
  await make(hub, project);
  proxy.up();
  await anna().complete(item.id, 1);
  await until('it has told the end', () => watched.types().includes('item.completed'));
  const progressed = ['item.progressed', 'item.progressed', 'item.progressed'];
  expect(watched.types()).toEqual(['item.created', 'item.claimed', ...progressed, 'item.completed']);
  await watched.end();
});

test('for people a line says what its item is called, however far back it lies', async () => {
  const args = [bin, 'watch', '--type', 'item.files_reported', '--project', project];
  const child = start([process.execPath, ...args], envOf(hub));
  await until('it has told it', () => child.stdout() !== '');
  expect(child.stdout()).toMatch(/touched +#2 the queries {2}— src\/a\.ts {2}\(ben\)\n$/);
});

test('a filter that nothing can fit is refused', async () => {
  expect(await run('watch --type item.done')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('not one of item.created') as string,
  });
  expect(await run('watch --item 99')).toMatchObject({
    code: 1,
    stderr: `error: There is no #99 in ${project}. See switchyard list.\n`,
  });
  const elsewhere = await make(hub, (await newProject(hub)).name);
  expect(await codeOf(`watch --item ${elsewhere.id}`)).toBe(2);
});
