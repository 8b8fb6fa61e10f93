// What a command is told of its item, and what becomes of the item when it ends.
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, getItem, newItem } from '../../server/test/setup/steps.ts';
import { bin, isRunning, newFolder, nodeCommand, startRunner, writeFiles } from './setup/runner.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

/** Writes what it was told into files of the folder it runs in. */
const tell = nodeCommand(`
  const fs = require('node:fs');
  fs.writeFileSync('told.json', JSON.stringify({
    env: process.env, arguments: process.argv.slice(1), stdin: fs.readFileSync(0, 'utf8'),
  }));
`);

interface Told {
  env: Record<string, string>;
  arguments: string[];
  stdin: string;
}

/** Runs a command for one item, and answers with the item as it then stands. */
async function runOnce(
  draft: Parameters<typeof newItem>[2],
  command: readonly string[],
  flags: string[] = [],
) {
  const project = await newProject(hub);
  const item = await newItem(hub, project, draft);
  const cwd = newFolder();
  const runner = startRunner(hub, { project: project.name, cwd }, [...flags, '--max-items', '1'], command);
  const { code } = await runner.ended;
  const told = existsSync(join(cwd, 'told.json'))
    ? (JSON.parse(readFileSync(join(cwd, 'told.json'), 'utf8')) as Told)
    : null;
  return { project, cwd, code, told: told!, output: runner.output(), item: await getItem(hub, item.id) };
}

describe('what a command is told', () => {
  test('the item is in its environment, on its stdin, and in its arguments', async () => {
    const { project, told, item, code } = await runOnce(
      {
        title: 'Fix the tests',
        description: 'All of\nthem',
        task_type: 'bug',
        priority: 2,
        files_planned: ['src/a.ts', '-b.ts'],
      },
      [
        ...tell,
        '--',
        '{title}',
        'n={number}.{attempt}',
        '{files}',
        '{unknown} {a,b} ${HOME}',
        '{description}',
      ],
    );
    expect(code).toBe(0);
    expect(told.env).toMatchObject({
      SWITCHYARD_ITEM_ID: item.id,
      SWITCHYARD_ITEM_NUMBER: '1',
      SWITCHYARD_ITEM_TITLE: 'Fix the tests',
      SWITCHYARD_ITEM_DESCRIPTION: 'All of\nthem',
      SWITCHYARD_ITEM_TASK_TYPE: 'bug',
      SWITCHYARD_ITEM_PRIORITY: '2',
      SWITCHYARD_ITEM_ATTEMPT: '1',
      SWITCHYARD_ITEM_FILES: 'src/a.ts\n./-b.ts',
      SWITCHYARD_ITEM_CUT: '',
      SWITCHYARD_ATTEMPT: '1',
      SWITCHYARD_PROJECT: project.name,
      SWITCHYARD_AGENT: 'anna',
      SWITCHYARD_URL: hub.url,
      SWITCHYARD_TOKEN: adminToken,
    });
    expect(told.arguments).toEqual([
      'Fix the tests',
      'n=1.1',
      'src/a.ts',
      './-b.ts',
      '{unknown} {a,b} ${HOME}',
      'All of\nthem',
    ]);
    expect(JSON.parse(told.stdin)).toMatchObject({ id: item.id, title: 'Fix the tests', status: 'claimed' });
  });

  test('whatever a title says is only text', async () => {
    const titles = [
      '$(touch pwned)',
      '`touch pwned`; touch pwned & touch pwned',
      `it's "quoted" \\ {title} {id}`,
      '%s%n %PATH% * ? ~ #',
      '日本語 – “ü”',
    ];
    const project = await newProject(hub);
    for (const title of titles) await newItem(hub, project, { title });
    const cwd = newFolder();
    const append = nodeCommand(`
      const said = [...process.argv.slice(1), process.env.SWITCHYARD_ITEM_TITLE];
      fs.appendFileSync('told', JSON.stringify(said) + '\\n');
    `);
    const flags = ['--exit-when-idle', '--no-watch'];
    const runner = startRunner(hub, { project: project.name, cwd }, flags, [
      ...append,
      '--',
      '{title}',
      '<{title}>',
    ]);
    expect(await runner.ended).toMatchObject({ code: 0 });
    const told = readFileSync(join(cwd, 'told'), 'utf8').trim().split('\n');
    expect(told.map((line) => JSON.parse(line) as string[])).toEqual(
      titles.map((title) => [title, `<${title}>`, title]),
    );
    expect(existsSync(join(cwd, 'pwned'))).toBe(false);
    for (const title of titles) expect(runner.output()).toContain(`▶ ${title}\n`);
  });

  test('a title that would be read as an option fails its item, unless it stands after --', async () => {
    const bare = await runOnce({ title: '--delete-all', max_attempts: 3 }, [...tell.slice(0, 1), '{title}']);
    expect(bare.item).toMatchObject({ status: 'failed', retry_at: null });
    expect(bare.item.failure_reason).toContain('would read it as an option');
    const safe = await runOnce({ title: '--delete-all' }, [...tell, '--', '{title}']);
    expect(safe.told.arguments).toEqual(['--delete-all']);
  });

  test('a command that would run a title as a program is refused before anything is claimed', async () => {
    const { code, output, item } = await runOnce({ title: 'work' }, ['sh', '-c', 'echo {title}']);
    expect(code).toBe(2);
    expect(output).toContain('"$SWITCHYARD_ITEM_TITLE"');
    expect(item.status).toBe('todo');
  });

  test('a shell may have the item as its environment and as arguments', async () => {
    const { item } = await runOnce({ title: '$(touch pwned)' }, [
      'sh',
      '-c',
      'echo "{number}: $SWITCHYARD_ITEM_TITLE = $1"; test ! -e pwned',
      'sh',
      '{title}',
    ]);
    expect(item).toMatchObject({ status: 'done', result_summary: '1: $(touch pwned) = $(touch pwned)' });
  });

  test('texts that are too long for the system are cut in the environment, and whole on stdin', async () => {
    const description = '€'.repeat(50_000);
    const { told, item } = await runOnce({ description }, tell);
    expect(told.env.SWITCHYARD_ITEM_CUT).toBe('DESCRIPTION');
    expect(description.startsWith(told.env.SWITCHYARD_ITEM_DESCRIPTION!)).toBe(true);
    expect(told.env.SWITCHYARD_ITEM_DESCRIPTION!.length).toBeGreaterThan(30_000);
    expect((JSON.parse(told.stdin) as Item).description).toBe(description);
    expect(item.status).toBe('done');
    const argument = await runOnce({ description, max_attempts: 3 }, [...tell, '{description}']);
    expect(argument.item).toMatchObject({ status: 'failed', retry_at: null });
    expect(argument.item.failure_reason).toContain('too long');
  });
});

describe('how a command ends', () => {
  const ends = (program: string) => nodeCommand(program);

  test('exit 0 completes the item with the last lines as summary, without colours', async () => {
    const { item, output } = await runOnce(
      {},
      ends(`
        for (let n = 1; n <= 50; n += 1) console.log('\\x1b[32mline ' + n + '\\x1b[0m');
        process.stderr.write('no line break \\x07\\xff');
      `),
    );
    expect(item.status).toBe('done');
    expect(item.result_summary).toMatch(/^line 32\nline 33[\s\S]*\nline 50\nno line break ÿ$/);
    expect(output).toContain('#1 │ line 1\n');
    expect(output).not.toContain('\x1b');
  });

  test('what says nothing is done as well', async () => {
    const { item } = await runOnce({}, ['true']);
    expect(item).toMatchObject({ status: 'done' });
    expect(item.result_summary).toMatch(/^true: exit 0 after 0\.\d s, without output$/);
  });

  test('another exit fails the item with the last lines and the exit as reason, and it is tried again', async () => {
    const { item } = await runOnce(
      { max_attempts: 2 },
      ends(`console.error('no such thing'); process.exit(3)`),
    );
    expect(item).toMatchObject({ status: 'failed', failure_reason: 'exit 3\n\nno such thing' });
    expect(item.retry_at).not.toBeNull();
  });

  test('so does a signal', async () => {
    const { item } = await runOnce({ max_attempts: 2 }, ends(`process.kill(process.pid, 'SIGSEGV')`));
    expect(item).toMatchObject({ status: 'failed', failure_reason: 'ended by SIGSEGV' });
    expect(item.retry_at).not.toBeNull();
  });

  test('exit 65 says not to try again', async () => {
    const { item } = await runOnce(
      { max_attempts: 3 },
      ends(`console.log('makes no sense'); process.exit(65)`),
    );
    expect(item).toMatchObject({
      status: 'failed',
      failure_reason: 'exit 65 (do not retry)\n\nmakes no sense',
      retry_at: null,
    });
  });

  test('exit 75 gives the item back', async () => {
    const { item } = await runOnce({}, ends(`console.log('waits for its parts'); process.exit(75)`));
    expect(item.status).toBe('todo');
    const [released] = await eventsOf(hub, item, 'item.released');
    expect(released!.data).toMatchObject({ reason: 'waits for its parts' });
  });

  test('a command that takes too long is ended', async () => {
    const { item, output } = await runOnce(
      { max_attempts: 2 },
      ends(`console.log('begun'); setTimeout(() => {}, 60_000)`),
      ['--timeout', '300ms'],
    );
    expect(item).toMatchObject({ status: 'failed', failure_reason: 'timed out after 0.3 s\n\nbegun' });
    expect(output).toMatch(/#1 ✗ failed after \d\.\d s: timed out after 0\.3 s/);
  });

  test('what it leaves in the background is ended with it', async () => {
    const { item, cwd } = await runOnce({}, ['sh', '-c', 'sleep 60 & echo $! > pid; echo started']);
    expect(item).toMatchObject({ status: 'done', result_summary: 'started' });
    const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
    expect(isRunning(pid)).toBe(false);
  });

  test('floods, endless lines, binary rubbish and progress bars do no harm', async () => {
    const { item, output } = await runOnce(
      {},
      ends(`
        process.stdout.write(Buffer.alloc(300_000, 0xfe));
        process.stdout.write('\\n' + 'x'.repeat(30_000) + '\\n\\x1b[2J\\x1b]0;title\\x07');
        for (let n = 0; n <= 100; n += 1) process.stdout.write('\\r' + n + ' %');
        process.stdout.write('\\r\\nall of it\\r\\n');
      `),
    );
    expect(item.status).toBe('done');
    expect(item.result_summary).toMatch(/x\n100 %\nall of it$/);
    expect(item.result_summary!.length).toBeLessThanOrEqual(4_000);
    expect(output).not.toContain('99 %');
    expect(output).not.toContain('\x1b');
  });
});

test('a command speaks for its own item: reports files, and makes parts of it, for which it waits', async () => {
  const project = await newProject(hub);
  const item = await newItem(hub, project, { title: 'Too large' });
  const cwd = newFolder();
  const program = `
    set -eu
    switchyard() { "$NODE" "$BIN" "$@" >&2; }
    if [ "$SWITCHYARD_ITEM_NUMBER" = 2 ]; then echo 'part done'; exit; fi
    if [ "$SWITCHYARD_ITEM_ATTEMPT" = 2 ]; then echo 'put together'; exit; fi
    switchyard files report src/a.ts
    switchyard heartbeat --progress 50
    switchyard add 'A part of it' --parent "$SWITCHYARD_ITEM_NUMBER"
    exit 75
  `;
  const env = { NODE: process.execPath, BIN: bin };
  const runner = startRunner(
    hub,
    { project: project.name, cwd, env },
    ['--exit-when-idle'],
    ['sh', '-c', program],
  );
  expect(await runner.ended).toMatchObject({ code: 0 });
  const done = await getItem(hub, item.id);
  expect(done).toMatchObject({ status: 'done', attempt: 2, result_summary: 'put together' });
  expect(done.files_modified).toEqual(['src/a.ts']);
  const order = runner.output().match(/▶ .*/g);
  expect(order).toEqual(['▶ Too large', '▶ A part of it', '▶ Too large (attempt 2)']);
});

describe('what cannot be run', () => {
  test('a command that does not exist stops the runner before anything is claimed', async () => {
    const { code, output, item } = await runOnce({}, ['no-such-command']);
    expect(code).toBe(2);
    expect(output).toBe('error: There is no command "no-such-command". Is it installed, and on the PATH?\n');
    expect(item).toMatchObject({ status: 'todo', attempt: 0 });
  });

  test('one that goes away later gives its item back and stops the runner', async () => {
    const project = await newProject(hub);
    const [first, second] = [await newItem(hub, project), await newItem(hub, project)];
    const cwd = newFolder();
    writeFiles(cwd, { once: '#!/bin/sh\nrm once\n' });
    chmodSync(join(cwd, 'once'), 0o755);
    const runner = startRunner(hub, { project: project.name, cwd }, [], ['./once']);
    expect(await runner.ended).toMatchObject({ code: 2 });
    expect((await getItem(hub, first.id)).status).toBe('done');
    expect(await getItem(hub, second.id)).toMatchObject({ status: 'todo', failure_count: 0 });
    expect(runner.output()).toContain('./once: there is no such command.');
  });

  test('without a hub it ends with 3, and without a command with 2', async () => {
    const cwd = newFolder();
    const away = startRunner({ url: 'http://127.0.0.1:1' }, { project: 'p', cwd }, [], ['true']);
    const none = startRunner(hub, { project: 'p', cwd }, [], []);
    expect(await none.ended).toMatchObject({ code: 2 });
    expect(none.output()).toContain('Say which command to run');
    expect(await away.ended).toMatchObject({ code: 3 });
  });
});
