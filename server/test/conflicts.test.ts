// Two claims that share files: seen, told, and under policy deny prevented.
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Conflict, Item } from '@switchyard/shared/item';
import type { ClaimConflicts, ProjectEvent, Snapshot } from '@switchyard/shared/protocol';
import {
  call,
  connect,
  connectAgent,
  newProject,
  refusal,
  startTestHub,
  type Client,
  type TestHub,
} from './setup/hub.ts';
import { complete, getItem, newItem, violationsOf } from './setup/steps.ts';
import { until } from './setup/until.ts';

let hub: TestHub;
let brief: TestHub;
beforeAll(async () => {
  [hub, brief] = await Promise.all([
    startTestHub(),
    startTestHub({ timing: { leaseSeconds: 0.8, heartbeatSeconds: 0.2, graceSeconds: 0.2 } }),
  ]);
});
afterAll(() => Promise.all([hub.stop(), brief.stop()]));

/** Two agents, each about to claim an item of its own, and a board that looks on. */
async function scene(on: TestHub, files: [string[], string[]], policy?: 'warn' | 'deny') {
  const project = await newProject(on, policy ? { conflict_policy: policy } : {});
  const [one, two] = [
    await newItem(on, project, { title: 'one', files_planned: files[0] }),
    await newItem(on, project, { title: 'two', files_planned: files[1] }),
  ];
  const [a, b] = [await connectAgent(on, project.name, 'a'), await connectAgent(on, project.name, 'b')];
  const board = await connect(on);
  await board.call<Snapshot>('project.watch', { project: project.name });
  return { project, one, two, a, b, board };
}

/** Gives the project's lane something to do, so that what comes meanwhile goes out in one batch. */
async function keepBusy(agent: Client, project: { id: string }) {
  const items = Array.from({ length: 400 }, (_, n) => ({
    title: `done already ${n}`,
    status: 'done' as const,
  }));
  const busy = agent.call('item.create', { project: project.id, items });
  // Answered once the hub has read the other.
  await agent.call('project.list');
  return { busy };
}

const pairsOf = async (on: TestHub, project: { id: string }) =>
  (await call(on, 'project.conflicts', { project: project.id })).conflicts;

const told = (agent: Client, event: 'conflict.detected' | 'conflict.resolved', count = 1) =>
  agent
    .hear<ClaimConflicts>(event, () => agent.all(event).length >= count)
    .then(() => {
      const all = agent.all<ClaimConflicts>(event);
      expect(all).toHaveLength(count);
      return all.at(-1)!;
    });

const seen = (board: Client, type: string, fits: (event: ProjectEvent) => boolean = () => true) =>
  board.hear<ProjectEvent>('project.event', (event) => event.type === type && fits(event));

describe('what overlaps', () => {
  test.each<[string, string[], string[], string[]]>([
    ['the same file', ['src/a.ts'], ['src/b.ts', 'src/a.ts'], ['src/a.ts']],
    ['the same file, written otherwise', ['./src/./a.ts'], ['src/a.ts'], ['src/a.ts']],
    ['a file below a folder', ['src/'], ['src/deep/a.ts'], ['src/deep/a.ts']],
    ['a folder in a folder', ['src/'], ['src/deep/'], ['src/deep/']],
    ['a file that a glob matches', ['src/**/*.ts'], ['src/x/a.ts', 'src/a.js'], ['src/x/a.ts']],
    ['a dot file that a glob matches', ['config/*'], ['config/.env'], ['config/.env']],
    ['one of several that braces name', ['src/{a,b}.ts'], ['src/b.ts', 'src/c.ts'], ['src/b.ts']],
    ['two globs that may meet', ['src/**/*.ts'], ['src/api/*.ts'], ['src/api/*.ts']],
    ['a glob and a folder', ['src/**/*.ts'], ['src/api/'], ['src/api/']],
    ['a glob over everything', ['**'], ['a'], ['a']],
    [
      'a route folder with brackets, to the letter',
      ['src/routes/[id]/+page.svelte'],
      ['src/routes/[id]/+page.svelte'],
      ['src/routes/[id]/+page.svelte'],
    ],
    [
      'a glob below a route folder with brackets and parentheses',
      ['src/routes/(app)/[id]/*.svelte'],
      ['src/routes/(app)/[id]/+page.svelte'],
      ['src/routes/(app)/[id]/+page.svelte'],
    ],
  ])('[CF1] %s', async (_, first, second, shared) => {
    for (const [mine, theirs] of [
      [first, second],
      [second, first],
    ] as const) {
      const { project, one, two, a, b } = await scene(hub, [[...mine], [...theirs]]);
      await a.call('item.claim', { id: one.id });
      const { conflicts } = await b.call('item.claim', { id: two.id });
      expect(conflicts.map((conflict) => conflict.conflicting_files)).toEqual([shared]);
      expect(await pairsOf(hub, project)).toHaveLength(1);
    }
  });

  test.each<[string, string[], string[]]>([
    ['other files', ['src/a.ts'], ['src/b.ts']],
    ['a folder and a file that only begins like it', ['src/'], ['src.ts', 'src2/a.ts']],
    ['a file and one in a folder of its name', ['src/a'], ['src/a.ts']],
    ['a glob and a file of another folder', ['src/*.ts'], ['src/x/a.ts', 'lib/a.ts']],
    ['globs with other beginnings', ['src/**/*.ts'], ['lib/**/*.ts']],
    ['globs with other endings', ['src/**/*.ts'], ['src/**/*.css']],
    ['brackets are no character class', ['src/routes/[id]/*'], ['src/routes/i/a.ts', 'src/routes/d/a.ts']],
    ['case counts', ['src/A.ts'], ['src/a.ts']],
    ['no files at all', [], ['src/a.ts']],
  ])('[CF2] not: %s', async (_, first, second) => {
    const { project, one, two, a, b } = await scene(hub, [first, second]);
    await a.call('item.claim', { id: one.id });
    expect((await b.call('item.claim', { id: two.id })).conflicts).toEqual([]);
    expect(await pairsOf(hub, project)).toEqual([]);
  });
});

describe('under warn', () => {
  test('[CF3] the claim’s answer, both holders, the board and the list name the conflict, each from its side', async () => {
    const { project, one, two, a, b, board } = await scene(hub, [
      ['src/a.ts', 'x'],
      ['src/a.ts', 'y'],
    ]);
    await a.call('item.claim', { id: one.id });
    const { claim, conflicts } = await b.call('item.claim', { id: two.id });
    const since = claim.item.assigned_at;
    const common = { conflicting_files: ['src/a.ts'], kind: 'planned', since };
    const sideOfA: Conflict = {
      ...(common as Conflict),
      work_item_id: two.id,
      number: two.number,
      title: 'two',
      agent_id: 'b',
    };
    const sideOfB: Conflict = {
      ...(common as Conflict),
      work_item_id: one.id,
      number: one.number,
      title: 'one',
      agent_id: 'a',
    };
    expect(conflicts).toEqual([sideOfB]);
    expect(await told(a, 'conflict.detected')).toEqual({ item_id: one.id, attempt: 1, conflicts: [sideOfA] });
    expect(await told(b, 'conflict.detected')).toEqual({ item_id: two.id, attempt: 1, conflicts: [sideOfB] });
    const [pair] = await pairsOf(hub, project);
    expect(pair).toEqual({
      ...common,
      items: [
        { work_item_id: one.id, number: one.number, title: 'one', agent_id: 'a', attempt: 1 },
        { work_item_id: two.id, number: two.number, title: 'two', agent_id: 'b', attempt: 1 },
      ],
    });
    const event = await seen(board, 'conflict.detected');
    expect(event.data).toMatchObject(common);
    const again = await connect(hub);
    const { conflicts: inSnapshot } = await again.call<Snapshot>('project.watch', { project: project.id });
    expect(inSnapshot).toEqual([pair]);
  });

  const endings: [string, (scene: Awaited<ReturnType<typeof inConflict>>) => Promise<unknown>][] = [
    ['complete', ({ a, one }) => complete(a, one)],
    ['fail', ({ a, one }) => a.call('item.fail', { id: one.id, attempt: 1, failure_reason: 'no' })],
    ['release', ({ a, one }) => a.call('item.release', { id: one.id, attempt: 1 })],
    ['cancel', ({ one }) => call(hub, 'item.cancel', { id: one.id })],
    ['a new plan', ({ one }) => call(hub, 'item.update', { id: one.id, files_planned: ['other.ts'] })],
  ];
  async function inConflict() {
    const made = await scene(hub, [['src/a.ts'], ['src/']]);
    await made.a.call('item.claim', { id: made.one.id });
    await made.b.call('item.claim', { id: made.two.id });
    return made;
  }

  test.each(endings)('[CF4] %s of one of the two resolves it, and both hear', async (_, end) => {
    const made = await inConflict();
    await end(made);
    for (const [agent, item, other] of [
      [made.a, made.one, made.two],
      [made.b, made.two, made.one],
    ] as const) {
      expect(await told(agent, 'conflict.resolved')).toMatchObject({
        item_id: item.id,
        attempt: 1,
        conflicts: [{ work_item_id: other.id, conflicting_files: ['src/a.ts'] }],
      });
      expect(agent.all('conflict.detected')).toHaveLength(1);
    }
    await seen(made.board, 'conflict.resolved');
    expect(await pairsOf(hub, made.project)).toEqual([]);
    expect(await violationsOf(hub, made.project, 'stuck')).toEqual([]);
  });

  test('[CF5] the end of a lease resolves it', async () => {
    const { project, one, two, a, b, board } = await scene(brief, [['a.ts'], ['a.ts']]);
    await a.call('item.claim', { id: one.id });
    await call(brief, 'item.claim', { id: two.id, agent_id: 'h' });
    await seen(board, 'conflict.detected');
    await a.hear('claim.lost');
    await seen(board, 'conflict.resolved');
    expect(await pairsOf(brief, project)).toEqual([]);
    expect(await violationsOf(brief, project, 'stuck')).toEqual([]);
    b.close();
  });

  test('[CF6] reported files count: the answer has the conflicts as they stand, and growth is told, repetition not', async () => {
    const { one, two, a, b, board, project } = await scene(hub, [['src/a.ts'], ['src/b.ts']]);
    await a.call('item.claim', { id: one.id });
    await b.call('item.claim', { id: two.id });
    const report = (files: string[]) => b.call('item.report_files', { id: two.id, attempt: 1, files });
    expect((await report(['src/c.ts'])).conflicts).toEqual([]);
    const first = await report(['src/a.ts']);
    expect(first.item.files_modified).toEqual(['src/c.ts', 'src/a.ts']);
    expect(first.conflicts).toMatchObject([
      { work_item_id: one.id, conflicting_files: ['src/a.ts'], kind: 'modified' },
    ]);
    expect((await report(['src/a.ts'])).conflicts).toEqual(first.conflicts);
    await told(a, 'conflict.detected');
    // The other touches what this one has touched: the conflict grows.
    const grown = await a.call('item.report_files', { id: one.id, attempt: 1, files: ['src/c.ts'] });
    expect(grown.conflicts).toMatchObject([{ conflicting_files: ['src/a.ts', 'src/c.ts'] }]);
    expect(await told(b, 'conflict.detected', 2)).toMatchObject({
      conflicts: [{ conflicting_files: ['src/a.ts', 'src/c.ts'] }],
    });
    await seen(board, 'conflict.detected', ({ data }) => (data.conflicting_files as string[]).length === 2);
    expect(a.all('conflict.resolved')).toEqual([]);
    expect(await pairsOf(hub, project)).toMatchObject([{ conflicting_files: ['src/a.ts', 'src/c.ts'] }]);
  });

  test('[CF7] planned becomes modified: the change of kind is told', async () => {
    const { one, two, a, b } = await scene(hub, [['src/a.ts'], ['src/*.ts']]);
    await a.call('item.claim', { id: one.id });
    await b.call('item.claim', { id: two.id });
    expect(await told(a, 'conflict.detected')).toMatchObject({ conflicts: [{ kind: 'planned' }] });
    await a.call('item.report_files', { id: one.id, attempt: 1, files: ['src/a.ts'] });
    expect(await told(b, 'conflict.detected', 2)).toMatchObject({ conflicts: [{ kind: 'modified' }] });
  });

  test('[CF8] files given with a claim count as planned, and a claimed item’s new plan is compared', async () => {
    const { one, two, a, b } = await scene(hub, [[], []]);
    const { claim } = await a.call('item.claim', { id: one.id, files: ['src/', './src/a.ts', 'src/a.ts'] });
    expect(claim.item.files_planned).toEqual(['src/', 'src/a.ts']);
    await b.call('item.claim', { id: two.id });
    await call(hub, 'item.update', { id: two.id, files_planned: ['src/deep/b.ts'] });
    expect(await told(b, 'conflict.detected')).toMatchObject({
      conflicts: [{ work_item_id: one.id, conflicting_files: ['src/deep/b.ts'] }],
    });
    await told(a, 'conflict.detected');
  });

  test('[CF9] claims that meet in one batch conflict as others do', async () => {
    const project = await newProject(hub);
    const items: Item[] = [];
    for (let n = 0; n < 6; n++) items.push(await newItem(hub, project, { files_planned: ['same.ts'] }));
    const agents = await Promise.all(items.map((_, n) => connectAgent(hub, project.name, `a${n}`)));
    const { busy } = await keepBusy(agents[0]!, project);
    const answers = await Promise.all(
      agents.map((agent, n) =>
        n % 2 === 0
          ? agent.call('item.claim', { id: items[n]!.id })
          : agent.call('item.claim_next', { project: project.id }),
      ),
    );
    await busy;
    const claimed = answers.filter((answer) => answer.claim);
    expect(new Set(claimed.map(({ claim }) => claim!.item.id)).size).toBe(claimed.length);
    const pairs = (claimed.length * (claimed.length - 1)) / 2;
    expect(await pairsOf(hub, project)).toHaveLength(pairs);
    for (const { claim } of claimed) {
      const holder = agents.find((agent) => agent.ready!.session_id === claim!.session_id)!;
      await holder.hear(
        'conflict.detected',
        () => holder.all('conflict.detected').length === claimed.length - 1,
      );
    }
    await Promise.all(
      claimed.map(({ claim }) =>
        complete(
          agents.find((agent) => agent.ready!.session_id === claim!.session_id)!,
          claim!.item,
        ),
      ),
    );
    expect(await pairsOf(hub, project)).toEqual([]);
    expect(await violationsOf(hub, project, 'stuck')).toEqual([]);
  });

  test('[CF10] check_files says what claiming would meet, and changes nothing', async () => {
    const { project, one, a, b } = await scene(hub, [['src/a.ts'], []]);
    await a.call('item.claim', { id: one.id });
    const { last_seq } = (await call(hub, 'project.get', { project: project.id })).project;
    const check = (agent: Client, files: string[]) =>
      agent.call('item.check_files', { project: project.id, files });
    expect((await check(b, ['src/', 'other'])).conflicts).toMatchObject([
      { work_item_id: one.id, agent_id: 'a', conflicting_files: ['src/a.ts'] },
    ]);
    expect((await check(b, ['src/b.ts'])).conflicts).toEqual([]);
    expect((await check(a, ['src/a.ts'])).conflicts).toEqual([]);
    expect((await call(hub, 'project.get', { project: project.id })).project.last_seq).toBe(last_seq);
  });

  test('[CF11] items that are not claimed conflict with nothing', async () => {
    const { project, one, two, a } = await scene(hub, [['a.ts'], ['a.ts']]);
    await a.call('item.claim', { id: one.id });
    await complete(a, one);
    const { conflicts } = await a.call('item.claim', { id: two.id });
    expect(conflicts).toEqual([]);
    expect(await pairsOf(hub, project)).toEqual([]);
  });
});

describe('under deny', () => {
  test('[CF20] the claim is refused with the conflicts, item.explain says why, and the end of the other frees it', async () => {
    const { one, two, a, b } = await scene(hub, [['src/'], ['src/a.ts']], 'deny');
    await a.call('item.claim', { id: one.id });
    const refused = await refusal(b.call('item.claim', { id: two.id }));
    expect(refused).toMatchObject({
      code: 'FILE_CONFLICT',
      details: { conflicts: [{ work_item_id: one.id, agent_id: 'a', conflicting_files: ['src/a.ts'] }] },
    });
    expect(await getItem(hub, two.id)).toMatchObject({ status: 'todo', attempt: 0, ready: false });
    const explained = await b.call('item.explain', { id: two.id });
    expect(explained).toMatchObject({ ready: false, reasons: [{ code: 'FILE_CONFLICT' }] });
    await a.call('item.release', { id: one.id, attempt: 1 });
    expect((await getItem(hub, two.id)).ready).toBe(true);
    expect((await b.call('item.claim', { id: two.id })).claim.attempt).toBe(1);
  });

  test('[CF21] files given with a claim are compared before it is made', async () => {
    const { project, one, two, a, b } = await scene(hub, [['src/a.ts'], []], 'deny');
    await a.call('item.claim', { id: one.id });
    const files = ['src/*.ts'];
    expect(await refusal(b.call('item.claim', { id: two.id, files }))).toMatchObject({
      code: 'FILE_CONFLICT',
      details: { conflicts: [{ work_item_id: one.id }] },
    });
    expect(await b.call('item.claim_next', { project: project.id, files })).toEqual({ claim: null });
    expect((await getItem(hub, two.id)).files_planned).toEqual([]);
    expect((await b.call('item.claim', { id: two.id, files: ['lib/a.ts'] })).claim.attempt).toBe(1);
  });

  test('[CF22] claim_next passes over what it would refuse', async () => {
    const { project, one, a, b } = await scene(hub, [['src/a.ts'], ['src/']], 'deny');
    const third = await newItem(hub, project, { priority: 9, files_planned: ['lib/'] });
    await a.call('item.claim', { id: one.id });
    const { claim } = await b.call('item.claim_next', { project: project.id });
    expect(claim!.item.id).toBe(third.id);
    await complete(b, third);
    expect(await b.call('item.claim_next', { project: project.id })).toEqual({ claim: null });
  });

  test('[CF23] an item’s own policy goes over its project’s, both ways', async () => {
    const { project, one, a, b } = await scene(hub, [['a.ts'], []], 'deny');
    const lax = await newItem(hub, project, { files_planned: ['a.ts'], conflict_policy: 'warn' });
    await a.call('item.claim', { id: one.id });
    expect((await b.call('item.claim', { id: lax.id })).conflicts).toHaveLength(1);

    const other = await scene(hub, [['a.ts'], ['a.ts']], 'warn');
    const strict = await newItem(hub, other.project, { files_planned: ['a.ts'], conflict_policy: 'deny' });
    await other.a.call('item.claim', { id: other.one.id });
    expect(await refusal(other.b.call('item.claim', { id: strict.id }))).toMatchObject({
      code: 'FILE_CONFLICT',
    });
    await call(hub, 'project.update', { project: other.project.id, conflict_policy: 'deny' });
    expect(await refusal(other.b.call('item.claim', { id: other.two.id }))).toMatchObject({
      code: 'FILE_CONFLICT',
    });
  });

  test('[CF24] of claims that race for the same files exactly one succeeds, and then the next', async () => {
    const project = await newProject(hub, { conflict_policy: 'deny' });
    const count = 8;
    const items: Item[] = [];
    for (let n = 0; n < count; n++)
      items.push(await newItem(hub, project, { files_planned: n % 2 ? ['src/'] : ['src/*.ts'] }));
    const agents = await Promise.all(items.map((_, n) => connectAgent(hub, project.name, `a${n}`)));
    let open = [...items];
    while (open.length > 0) {
      const { busy } = await keepBusy(agents[0]!, project);
      const answers = await Promise.allSettled(
        agents.map((agent, n) =>
          n % 2
            ? agent.call('item.claim_next', { project: project.id })
            : agent.call('item.claim', { id: open[n % open.length]!.id }),
        ),
      );
      await busy;
      const claims = answers.flatMap((answer) =>
        answer.status === 'fulfilled' && answer.value.claim ? [answer.value.claim] : [],
      );
      expect(claims).toHaveLength(1);
      for (const answer of answers)
        if (answer.status === 'rejected')
          expect(['FILE_CONFLICT', 'ALREADY_CLAIMED']).toContain((answer.reason as { code: string }).code);
      const holder = agents.find((agent) => agent.ready!.session_id === claims[0]!.session_id)!;
      await complete(holder, claims[0]!.item);
      open = open.filter((item) => item.id !== claims[0]!.item.id);
    }
    expect(await violationsOf(hub, project)).toEqual([]);
  });

  test('[CF25] claims without a common file go through together', async () => {
    const project = await newProject(hub, { conflict_policy: 'deny' });
    const items: Item[] = [];
    for (let n = 0; n < 8; n++) items.push(await newItem(hub, project, { files_planned: [`src/${n}/`] }));
    const agents = await Promise.all(items.map((_, n) => connectAgent(hub, project.name, `a${n}`)));
    const answers = await Promise.all(
      agents.map((agent) => agent.call('item.claim_next', { project: project.id })),
    );
    expect(new Set(answers.map(({ claim }) => claim?.item.id)).size).toBe(8);
  });

  test('[CF26] files reported under a claim may make a conflict even under deny: it is told, not undone', async () => {
    const { one, two, a, b } = await scene(hub, [['src/a.ts'], ['src/b.ts']], 'deny');
    await a.call('item.claim', { id: one.id });
    await b.call('item.claim', { id: two.id });
    const { conflicts } = await b.call('item.report_files', { id: two.id, attempt: 1, files: ['src/a.ts'] });
    expect(conflicts).toMatchObject([{ work_item_id: one.id, kind: 'modified' }]);
    await told(a, 'conflict.detected');
    expect((await complete(b, two)).item.status).toBe('done');
    await told(a, 'conflict.resolved');
  });
});

test('[CF27] a new plan leaves what was touched as it is, though it be reported at the same moment', async () => {
  const { one, two, a, b, project } = await scene(hub, [[], ['src/deep/b.ts']]);
  await a.call('item.claim', { id: one.id });
  await b.call('item.claim', { id: two.id });
  const sql = postgres({ ...(hub.database as object), max: 2 });
  onTestFinished(() => sql.end());
  const locked = await sql.reserve();
  await locked`BEGIN`;
  await locked`SELECT 1 FROM projects WHERE id = ${project.id} FOR UPDATE`;
  const report = a.call('item.report_files', { id: one.id, attempt: 1, files: ['src/'] });
  await until('it waits', async () => {
    const waiting =
      await sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    return waiting.length > 0;
  });
  const update = b.call('item.update', { id: one.id, files_planned: ['lib/'] });
  // Whatever the update looks up before its turn, it has looked up by now.
  for (let n = 0; n < 5; n++) await b.call('item.get', { id: one.id });
  await locked`ROLLBACK`;
  locked.release();
  await Promise.all([report, update]);
  expect((await call(hub, 'project.conflicts', { project: project.id })).conflicts).toMatchObject([
    { conflicting_files: ['src/deep/b.ts'], kind: 'modified' },
  ]);
});
