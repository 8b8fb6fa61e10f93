import { randomUUID } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { WireError } from '@switchyard/shared/errors';
import type { Conflict, Event, Item } from '@switchyard/shared/item';
import { newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { breakDown, get, httpAgent, make, makeAll } from '../../server/test/setup/work.ts';
import { promptOf } from './cli.ts';

let hub: TestHub;
let project: string;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  project = (await newProject(hub)).name;
});

const { run, ask, codeOf } = promptOf(() => ({ hub, project }));
const asBen = { env: { SWITCHYARD_AGENT: 'ben' } };

describe('adding', () => {
  test('an item has what the flags say', async () => {
    const first = await make(hub, project);
    const { item } = await ask<{ item: Item }>(
      "add 'Write the queries' --type feature --priority 1 --depends-on 1 --file src/ --file '*.md' --hours 1.5 --max-attempts 3 --description -",
      { stdin: 'One\ntwo\n' },
    );
    expect(item).toMatchObject({
      title: 'Write the queries',
      description: 'One\ntwo',
      task_type: 'feature',
      priority: 1,
      dependencies: [first.id],
      files_planned: ['src/', '*.md'],
      estimated_hours: 1.5,
      max_attempts: 3,
    });
    expect((await ask<{ item: Item }>("add part --parent '#1'")).item.parent_item_id).toBe(first.id);
  });

  test('several come from stdin: JSON with refs and numbers, or what import takes', async () => {
    const first = await make(hub, project);
    const drafts = [
      { ref: 'a', title: 'A' },
      { title: 'B', dependencies: ['a', '#1'], parent_item_id: null },
    ];
    const { items } = await ask<{ items: Item[] }>('add -', { stdin: JSON.stringify(drafts) });
    expect(items[1]!.dependencies.toSorted()).toEqual([items[0]!.id, first.id].toSorted());
    const one = await ask<{ items: Item[] }>('add -', { stdin: '{"title": "alone"}' });
    expect(one.items.map(({ title }) => title)).toEqual(['alone']);
    const named = await ask<{ items: Item[] }>('add -', { stdin: '{"items": [{"title": "named"}]}' });
    expect(named.items.map(({ title }) => title)).toEqual(['named']);
    const imported = await ask('add -', { stdin: '- [ ] C #bug\n  - [ ] D\n' });
    expect(imported).toMatchObject({ project, created: 2, existing: 0 });
    expect((await ask<{ items: Item[] }>('list')).items.map(({ title }) => title)).toEqual([
      'work',
      'A',
      'B',
      'alone',
      'named',
      'C',
      'D',
    ]);
    await ask('import - --project piped', { stdin: '- [ ] E\n- [ ] F\n' });
    expect((await ask<{ total: number }>('list --project piped')).total).toBe(2);
    expect(await codeOf('add -', { stdin: 'nothing of the kind' })).toBe(2);
    expect(await codeOf('import - --project unmade', { stdin: 'nothing of the kind' })).toBe(2);
    expect(await codeOf('list --project unmade')).toBe(1);
    expect(await codeOf('add -', { stdin: '' })).toBe(2);
    for (const flag of ['--type bug', '--parent 1', '--priority 0', '--file src/'])
      expect(await run(`add - ${flag}`, { stdin: '- [ ] G' }), flag).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('leave out') as string,
      });
    expect(await codeOf('add -')).toBe(2); // at a terminal nobody would know that something is waited for
    expect(await codeOf('add -', { stdin: '[{"title": "E", "dependencies": ["#99"]}]' })).toBe(1);
  });

  test('a command that is sent again adds nothing twice', async () => {
    let lost = 0;
    const fetched = globalThis.fetch;
    globalThis.fetch = async (...request) => {
      const answer = await fetched(...request);
      if (lost++ > 0) return answer;
      throw new TypeError('fetch failed', { cause: new Error('the connection went before the answer came') });
    };
    try {
      expect((await ask<{ item: Item }>('add once')).item.number).toBe(1);
    } finally {
      globalThis.fetch = fetched;
    }
    expect(lost).toBe(2);
    expect((await ask<{ total: number }>('list')).total).toBe(1);
  });
});

describe('looking', () => {
  test('list narrows by its flags, and shows all pages as one when asked', async () => {
    await makeAll(hub, project, [
      { title: 'epic', ref: 'epic' },
      { title: 'fix the parser', task_type: 'bug', parent_item_id: 'epic', priority: 1 },
      { title: 'say how', task_type: 'docs', dependencies: ['epic'] },
    ]);
    const titles = async (flags: string) =>
      (await ask<{ items: Item[] }>(`list ${flags}`)).items.map((one) => one.title);
    expect(await titles('--ready')).toEqual(['fix the parser']);
    expect(await titles('--type bug,docs --sort number --reverse')).toEqual(['say how', 'fix the parser']);
    expect(await titles('--parent 1')).toEqual(['fix the parser']);
    expect(await titles('--parent none --search EPIC')).toEqual(['epic']);
    expect(await titles('--status done,failed')).toEqual([]);
    const page = await ask<{ next_cursor: string; total: number }>('list --limit 2');
    expect(page.total).toBe(3);
    expect(await titles(`--limit 2 --cursor ${page.next_cursor}`)).toEqual(['say how']);
    expect((await run('list --limit 2')).stdout).toContain('2 of 3; for the rest: --all');
    expect((await run('ready')).stdout).toContain('switchyard claim --next');
  });

  test('all pages are one', async () => {
    await makeAll(
      hub,
      project,
      Array.from({ length: 510 }, () => ({})),
    );
    const { items, next_cursor } = await ask<{ items: Item[]; next_cursor: null }>('list --all');
    expect([items.length, next_cursor]).toEqual([510, null]);
  });

  test('an item is named by number, #number or id, whoever mentions it', async () => {
    const [, second] = await makeAll(hub, project, [{ title: 'see #2 first' }, { title: 'two' }]);
    for (const name of ['2', "'#2'", second!.id, second!.id.toUpperCase()])
      expect((await ask<{ item: Item }>(`show ${name}`)).item.id).toBe(second!.id);
    expect(await codeOf('show 3')).toBe(1);
    expect(await codeOf(`show ${randomUUID()}`)).toBe(1);
    for (const name of ['two', '0', '#0', '12345678901'])
      expect(await run(`show ${name}`), name).toMatchObject({
        code: 2,
        stderr: `error: "${name}" names no item: use its number, as 31 or '#31', or its uuid.\n`,
      });
    expect(await codeOf("add ''")).toBe(2);
  });

  test('show tells people what an item waits for and who tried it; explain why it is not ready', async () => {
    const [first] = await makeAll(hub, project, [
      { title: 'the schema', ref: 'a' },
      { title: 'the queries', dependencies: ['a'], description: 'All of them' },
    ]);
    await breakDown(hub, first!.id, 'ben');
    const shown = (await run('show 2')).stdout;
    expect(shown).toContain('#2 the queries');
    expect(shown).toMatch(/Waits for +#1 the schema \(failed\)/);
    expect(shown).toContain('All of them');
    expect((await run('show 1 --history')).stdout).toMatch(/1 +ben +\S+ .*failed +broke it/);
    expect((await run('explain 2')).stdout).toContain('It depends on #1 "the schema", which failed.');
    expect(await ask('explain 2')).toMatchObject({ ready: false, reasons: [{ code: 'DEPENDENCY_FAILED' }] });
  });

  test('status has the bar, the counts, who holds what and who shares files', async () => {
    await makeAll(hub, project, [{ title: 'one' }, { title: 'two' }, { title: 'three' }]);
    await run('claim 1 --file src/');
    await run('claim 2 --file src/a.ts', asBen);
    await run('complete 2 --summary done', asBen);
    await run('claim 3 --file src/b.ts', asBen);
    const { stdout } = await run('status');
    expect(stdout).toMatch(/█+░+ 33% {2}1 of 3 done/);
    expect(stdout).toMatch(/anna +working +0 +\S.* #1 one/);
    expect(stdout).toMatch(/ben +working +1 +\S.* #3 three/);
    expect(stdout).toMatch(
      /#1 one \(anna\).*#3 three \(ben\).* share src\/b\.ts|#3 three \(ben\).*#1 one \(anna\).* share src\/b\.ts/,
    );
    expect(await ask('status')).toMatchObject({ progress: { done: 1 }, project: { name: project } });
    const [first = ''] = stripVTControlCharacters((await run('status', { columns: 60 })).stdout).split('\n');
    expect(first).toMatch(/█+░+ 33% {2}1 of 3 done$/);
    expect(first.length).toBeLessThanOrEqual(60);
  });
});

describe('working', () => {
  test('claim, report, complete and take the next, without an attempt or an item being typed', async () => {
    await makeAll(hub, project, [{ title: 'one', files_planned: ['sql/'] }, { title: 'two' }]);
    const claimed = await run('claim --next');
    expect(claimed.stdout).toContain('Claimed #1 one');
    expect(claimed.stdout).toContain('complete 1 --summary');
    expect(await ask('heartbeat --progress 50 --note half')).toMatchObject({
      item: { progress: 50, progress_note: 'half' },
    });
    expect(await ask('files report sql/1.sql')).toMatchObject({
      item: { files_modified: ['sql/1.sql'] },
      conflicts: [],
    });
    const done = await ask<{ item: Item; next: { claim: { item: Item } } }>(
      'complete --summary - --file b.sql --next',
      { stdin: 'Three\ntables\n' },
    );
    expect(done.item).toMatchObject({
      status: 'done',
      result_summary: 'Three\ntables',
      files_modified: ['sql/1.sql', 'b.sql'],
    });
    expect(done.next.claim.item.number).toBe(2);
    expect((await run('release --reason no')).stdout).toBe('Put back: #2 two\n');
    expect(await codeOf('claim 2')).toBe(0);
    expect(await ask('fail 2 --reason broken --final')).toMatchObject({
      item: { status: 'failed', failure_reason: 'broken' },
    });
  });

  test('a type is for --next, and does not go with an item that is named', async () => {
    await make(hub, project, { task_type: 'docs' });
    expect(await codeOf('claim 1 --type bug')).toBe(2);
    expect(await codeOf('claim --next --type bug')).toBe(5);
    expect(await codeOf('claim --next --type docs')).toBe(0);
  });

  test('with nothing ready, claim --next ends with 5 and a null', async () => {
    expect(await ask('claim --next')).toEqual({ claim: null });
    expect(await codeOf('claim --next')).toBe(5);
    expect(await codeOf('claim')).toBe(2);
    expect(await codeOf('claim 1 --next')).toBe(2);
  });

  test('which item is meant must be plain where an agent holds none, or several', async () => {
    await makeAll(hub, project, [{}, {}, {}]);
    await run('claim 3', asBen);
    expect((await run('heartbeat')).stderr).toContain('anna holds no item');
    await run('claim 1');
    expect(await ask('heartbeat')).toMatchObject({ item: { number: 1 } });
    await run('claim 2');
    expect(await run('complete --summary x')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('#1, #2') as string,
    });
  });

  test('the claim that switchyard run took goes before all, at its attempt', async () => {
    const item = await make(hub, project);
    const agent = httpAgent(hub, 'anna');
    await agent.claim(item.id);
    await agent.release(item.id, 1);
    await agent.claim(item.id);
    const env = { SWITCHYARD_ITEM_ID: item.id, SWITCHYARD_ATTEMPT: '1' };
    for (const line of ['complete --summary late', 'complete 1 --summary late', 'files report a.ts'])
      expect(await ask<{ error: WireError }>(line, { env })).toMatchObject({ error: { code: 'CLAIM_LOST' } });
    expect((await get(hub, item.id)).status).toBe('claimed');
    expect(await codeOf('complete --summary done', { env: { ...env, SWITCHYARD_ATTEMPT: '2' } })).toBe(0);
  });

  test('an absolute path is a file of the project', async () => {
    const folder = `${import.meta.dirname}/`;
    const added = await ask<{ item: Item }>(`add work --file ${import.meta.filename} --file ${folder}*.ts`);
    expect(added.item.files_planned).toEqual(['agent/test/cli-commands.test.ts', 'agent/test/*.ts']);
    const { claim } = await ask<{ claim: { item: Item } }>(`claim 1 --file ${folder}`);
    expect(claim.item.files_planned).toContain('agent/test/');
    const { item } = await ask<{ item: Item }>(`files report ${import.meta.filename} ./docs/a.md`);
    expect(item.files_modified).toEqual(['agent/test/cli-commands.test.ts', 'docs/a.md']);
    expect(await ask('files report /elsewhere/a.ts')).toMatchObject({ error: { code: 'VALIDATION' } });
  });

  test('files check ends with 6 where somebody else works, and not for one’s own', async () => {
    await make(hub, project, { title: 'theirs', files_planned: ['src/'] });
    await run('claim 1');
    expect(await codeOf('files check src/a.ts')).toBe(0);
    const { code, stdout } = await run('files check docs/ src/a.ts', asBen);
    expect([code, stdout]).toEqual([6, expect.stringContaining('#1 theirs (anna): src/a.ts')]);
    expect((await ask<{ conflicts: Conflict[] }>('files check src/a.ts', asBen)).conflicts).toHaveLength(1);
  });

  test('an operator cancels, and retries', async () => {
    await make(hub, project);
    await run('claim 1');
    expect((await run('cancel 1 --reason enough')).stdout).toContain('anna has been told to stop');
    expect(await ask('complete 1 --summary x')).toMatchObject({
      error: { code: 'CLAIM_LOST', details: { reason: 'cancelled' } },
    });
    expect(await ask('retry 1')).toMatchObject({ item: { status: 'todo' } });
    const events = (await ask<{ events: Event[] }>('show 1 --history')).events;
    expect(events.map(({ type }) => type)).toContain('item.retried');
  });
});
