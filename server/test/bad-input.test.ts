import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commands, type CommandName } from '@switchyard/shared/commands';
import type { WireError } from '@switchyard/shared/errors';
import type { Item } from '@switchyard/shared/item';
import {
  adminToken,
  call,
  connect,
  connectAgent,
  newProject,
  refusal,
  request,
  startTestHub,
  type Client,
  type TestHub,
} from './setup/hub.ts';
import { httpAgent, make, makeAll, refusedIn, unchanged } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

type Input = Record<string, unknown>;

/** A project with an item to do and one that a1 works on. */
async function scene() {
  const { id: project, name } = await newProject(hub);
  const item = await make(hub, project);
  const held = await make(hub, project);
  await httpAgent(hub, 'a1').claim(held.id);
  return { project, name, item, held };
}
type Scene = Awaited<ReturnType<typeof scene>>;

const long = (length: number) => 'x'.repeat(length);
const nested = (depth: number) =>
  JSON.parse('[]'.repeat(0) + '['.repeat(depth) + ']'.repeat(depth)) as unknown;
const hostile = {
  'a control character': 'a\u0007b',
  'an escape sequence': '\u001b[31mred',
  'a NUL': 'a\u0000b',
  'CR LF': 'a\r\nSet-Cookie: x',
  'a C1 control': 'a\u009bb',
  'a line separator': 'a\u2028b',
  'a lone surrogate': 'a\ud800b',
};

const base: Record<string, (scene: Scene) => Input> = {
  'project.create': () => ({ name: `n${randomUUID()}`.slice(0, 20) }),
  'project.update': ({ project }) => ({ project }),
  'item.create': ({ project }) => ({ project, title: 'new' }),
  'item.update': ({ item }) => ({ id: item.id }),
  'item.list': ({ project }) => ({ project }),
  'project.events': ({ project }) => ({ project }),
  'item.claim': ({ item }) => ({ id: item.id, agent_id: 'a2' }),
  'item.claim_next': ({ project }) => ({ project, agent_id: 'a2' }),
  'item.heartbeat': ({ held }) => ({ id: held.id, agent_id: 'a1', attempt: 1 }),
  'item.report_files': ({ held }) => ({ id: held.id, agent_id: 'a1', attempt: 1, files: [] }),
  'item.check_files': ({ project }) => ({ project, agent_id: 'a1', files: [] }),
  'item.complete': ({ held }) => ({ id: held.id, agent_id: 'a1', attempt: 1, result_summary: 'x' }),
  'item.fail': ({ held }) => ({ id: held.id, agent_id: 'a1', attempt: 1, failure_reason: 'x' }),
  'item.release': ({ held }) => ({ id: held.id, agent_id: 'a1', attempt: 1 }),
  'item.cancel': ({ item }) => ({ id: item.id }),
  'item.retry': ({ item }) => ({ id: item.id }),
  'items.bulk': ({ project }) => ({ project, action: 'cancel', filter: {} }),
  'token.create': ({ project }) => ({ project, role: 'viewer', label: 'x' }),
};

/** By command, the field and what it must not be. Over a socket, where what is sent arrives as it is. */
const bad: [CommandName, string, unknown[]][] = [
  ['project.create', 'name', ['', long(101), 'Upper', 'a b', '-a', 'a/b', 7, null, randomUUID(), 'ä']],
  ['project.create', 'description', [7, long(50_001), hostile['a NUL']]],
  ['project.create', 'conflict_policy', ['maybe', null, true]],
  ['project.update', 'version', ['1', 1.5, 2 ** 31]],
  ['item.create', 'title', ['', '   ', long(501), 7, null, undefined, ['a'], ...Object.values(hostile)]],
  [
    'item.create',
    'description',
    [long(50_001), 7, hostile['a NUL'], hostile['an escape sequence'], hostile['a lone surrogate']],
  ],
  ['item.create', 'task_type', ['', 'Feature', 'a b', long(51), 7, 'é']],
  ['item.create', 'priority', [-1, 10, 1.5, '5', null, true]],
  ['item.create', 'parent_item_id', [7, '', {}]],
  ['item.create', 'dependencies', [7, 'x', [7], [null], Array.from({ length: 1_001 }, () => randomUUID())]],
  ['item.create', 'files_planned', [7, 'a', [7], [''], Array.from({ length: 1_001 }, (_, n) => `f${n}`)]],
  ['item.create', 'estimated_hours', [-1, '1', 1_000_001, true]],
  ['item.create', 'max_attempts', [0, 101, 1.5, '2', null]],
  ['item.create', 'conflict_policy', ['maybe', 1]],
  [
    'item.create',
    'metadata',
    [7, 'x', [], null, [1], { a: 'b\u0000' }, { '\ud800': 1 }, { a: nested(33) }, { a: long(65_530) }],
  ],
  ['item.create', 'status', ['claimed', 'failed', 'x', null]],
  ['item.create', 'request_id', ['', long(201), 7, 'a\nb']],
  ['item.update', 'title', ['', long(501), hostile['CR LF']]],
  ['item.update', 'priority', [10, null]],
  ['item.update', 'dependencies', [[7], ['ref'], null]],
  ['item.update', 'parent_item_id', ['ref', 7]],
  ['item.update', 'metadata', [null, []]],
  ['item.update', 'version', ['1', 1.5, null, 2 ** 31]],
  ['item.update', 'status', ['done']],
  ['item.update', 'id', ['x', '', 7, '00000000-0000-0000-0000-00000000000g', undefined]],
  ['item.list', 'status', ['open', '', 7, []]],
  ['item.list', 'ready', ['yes', 1]],
  ['item.list', 'task_type', ['', 'A']],
  ['item.list', 'agent', ['', long(256)]],
  ['item.list', 'parent', ['x', '']],
  ['item.list', 'q', ['', long(201), hostile['a NUL'], hostile['a lone surrogate']]],
  ['item.list', 'sort', ['size', '']],
  ['item.list', 'limit', [501, -1, 0, 'ten', '', 1.5, true, null, [5]]],
  [
    'item.list',
    'cursor',
    [
      'x',
      '',
      long(1_001),
      7,
      cursorOf({ key: '1.5', number: 1 }),
      cursorOf({ key: '', number: 1 }),
      cursorOf({ key: '1e99', number: 1 }),
      cursorOf({ key: '1', number: 99999999999 }),
      cursorOf({ key: 'Infinity', number: 1 }),
      cursorOf({ sort: 'title', key: 'a', number: 1 }),
      cursorOf(null),
    ],
  ],
  ['project.events', 'after', [-1, 'x', '', 1.5, 1e300, null]],
  ['project.events', 'limit', [0, 1_001, 'x']],
  ['project.events', 'before', [0, -1, 'x', 1.5]],
  ['project.events', 'type', ['nonsense', 'item.claimed,nonsense', [], '']],
  ['project.events', 'item', [0, -1, 'x', 2 ** 31, 1.5]],
  ['project.events', 'agent', ['', long(256)]],
  ['item.claim', 'agent_id', ['', long(256), 7, ...Object.values(hostile)]],
  ['item.claim', 'files', [['../x'], 7]],
  ['item.claim_next', 'task_types', [[], ['A'], 'bug', Array.from({ length: 51 }, () => 'bug')]],
  ['item.claim_next', 'project', ['', 7, 'a\u0000b', 'a\ud800b', long(101)]],
  ['item.heartbeat', 'attempt', [0, -1, 1.5, '1', null, undefined, 2 ** 31, Number.MAX_SAFE_INTEGER]],
  ['item.heartbeat', 'progress', [-1, 101, '50', true]],
  ['item.heartbeat', 'note', [long(501), 7, hostile['an escape sequence']]],
  [
    'item.report_files',
    'files',
    [undefined, 'a', [7], ['*.ts'], ['a/**'], Array.from({ length: 10_001 }, (_, n) => `f${n}`)],
  ],
  ['item.check_files', 'files', [undefined, ['/etc/passwd']]],
  ['item.complete', 'result_summary', [undefined, 7, null, long(50_001), hostile['a NUL']]],
  ['item.complete', 'files_modified', [['src/*.ts'], 'a', null]],
  ['item.complete', 'claim_next', ['yes', { types: [] }, { task_types: [] }]],
  ['item.fail', 'failure_reason', [undefined, 7, long(50_001)]],
  ['item.fail', 'retryable', ['no', 1]],
  ['item.release', 'reason', [7, long(501)]],
  ['item.cancel', 'dependents', ['all', true]],
  ['item.cancel', 'reason', [7, long(501), hostile['an escape sequence']]],
  ['items.bulk', 'action', ['delete', undefined]],
  ['items.bulk', 'dependents', ['all', true]],
  ['items.bulk', 'filter', [undefined, { nope: 1 }, 'all', { status: 'open' }]],
  ['items.bulk', 'expected_count', [-1, '3', 1.5]],
  ['token.create', 'role', ['admin', undefined]],
  ['token.create', 'label', ['', long(201), hostile['CR LF'], undefined]],
  [
    'token.create',
    'expires_at',
    ['tomorrow', 7, '2020-01-01T00:00:00Z', '2030-02-30T00:00:00Z', '0000-01-01T00:00:00Z'],
  ],
];

function cursorOf(key: unknown): string {
  const cursor = typeof key === 'object' && key !== null ? { sort: 'number', ...key } : key;
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

const rows = bad.flatMap(([name, field, values]) => values.map((value) => ({ name, field, value })));
const shown = (value: unknown) => (JSON.stringify(value) ?? 'missing').slice(0, 40);

describe('[VA1] a field that is not what it must be is refused by name, and nothing changes', () => {
  let socket: Client;
  let world: Scene;
  beforeAll(async () => {
    world = await scene();
    const client = await connectUntilTheEnd();
    socket = client;
  });
  afterAll(() => socket.close());

  test.each(rows.map((row) => ({ ...row, text: shown(row.value) })))(
    '$name: $field $text',
    async ({ name, field, value }) => {
      const input = { ...base[name]!(world), [field]: value };
      const error = await refusedIn(hub, world.project, () => socket.call<never>(name, input));
      expect(error).toMatchObject({ code: 'VALIDATION' });
      const paths = (error.details.issues as { path: string }[]).map((issue) => issue.path);
      // Of what is not even a known name, the whole is at fault.
      const known = commands[name].input.safeParse(input).error !== undefined;
      const where = name === 'item.update' && field === 'status' && known ? '' : field;
      expect(
        paths.some((path) => path === where || path.startsWith(`${where}.`)),
        paths.join(),
      ).toBe(true);
    },
  );
});

/** A connection that outlives a single test. */
async function connectUntilTheEnd(): Promise<Client> {
  const { Client } = await import('./setup/hub.ts');
  const client = new Client(hub, {});
  await new Promise<void>((resolve) => client.socket.once('connect', resolve));
  return client;
}

describe('paths', () => {
  const refused = [
    '',
    '.',
    './',
    '/',
    '/etc/passwd',
    '..',
    '../x',
    'a/../b',
    'a/..',
    './../a',
    'a\\b',
    '..\\x',
    'C:/x',
    'C:\\x',
    'a\u0000b',
    'a\nb',
    'a\u001b[0m',
    '//a',
    'a//b',
    long(1_025),
    'a\udc00',
  ];
  test.each(refused.map((path) => ({ path, text: shown(path) })))(
    '[VA2] $text is refused wherever files are named',
    async ({ path }) => {
      const { project, item, held } = await scene();
      const agent = httpAgent(hub, 'a1');
      const tries: [string, () => Promise<unknown>][] = [
        ['files_planned.1', () => make(hub, project, { files_planned: ['ok', path] })],
        ['files_planned.0', () => call(hub, 'item.update', { id: item.id, files_planned: [path] })],
        ['files.0', () => agent.claim(item.id, { files: [path] })],
        ['files.0', () => agent.files(held.id, 1, [path])],
        ['files_modified.0', () => agent.complete(held.id, 1, { files_modified: [path] })],
        ['files.0', () => call(hub, 'item.check_files', { project, agent_id: 'a1', files: [path] })],
      ];
      for (const [where, act] of tries) {
        const error = await refusedIn(hub, project, act);
        expect(error).toMatchObject({ code: 'VALIDATION', details: { issues: [{ path: where }] } });
      }
    },
  );

  test('[VA3] are kept normalised, each once; folders end in /, and dots within names are just dots', async () => {
    const { project } = await scene();
    const files_planned = [
      './src/a.ts',
      'src/./a.ts',
      'src/a.ts',
      'src/',
      '..a/b',
      'a..b',
      '.env',
      'x/...',
      'src/[id]/(g)/é.ts',
    ];
    const item = await make(hub, project, { files_planned });
    expect(item.files_planned).toEqual([
      'src/a.ts',
      'src/',
      '..a/b',
      'a..b',
      '.env',
      'x/...',
      'src/[id]/(g)/é.ts',
    ]);
  });
});

describe('whole inputs', () => {
  test('[VA4] unknown fields are refused, not ignored, at any depth', async () => {
    const { project, item } = await scene();
    const tries: [CommandName, Input][] = [
      ['item.create', { project, title: 'x', prioritty: 1 }],
      ['item.create', { project, items: [{ title: 'x' }, { title: 'y', prioritty: 1 }] }],
      ['item.create', { project, title: 'x', ref: 'a' }],
      ['item.update', { id: item.id, status: 'done' }],
      ['item.cancel', { id: item.id, force: true }],
      ['item.claim', { id: item.id, agent_id: 'a', session_id: randomUUID() }],
      ['items.bulk', { project, action: 'cancel', filter: { statuss: 'todo' } }],
      ['item.list', { project, page: 2 }],
      ['project.list', { q: 'x' }],
    ];
    for (const [name, input] of tries) {
      const error = await refusedIn(hub, project, () => call(hub, name, input as never));
      expect(error, name).toMatchObject({ code: 'VALIDATION' });
      expect(JSON.stringify(error.details.issues), name).toMatch(/[Uu]nrecognized/);
    }
  });

  test('[VA5] up to 1,000 items at once; of 1,001, or with one bad among them, none is made', async () => {
    const { project } = await scene();
    const items = Array.from({ length: 1_001 }, (_, n) => ({ title: `t${n}` }));
    expect(await refusedIn(hub, project, () => makeAll(hub, project, items))).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path: 'items' }] },
    });
    expect(await refusedIn(hub, project, () => makeAll(hub, project, []))).toMatchObject({
      code: 'VALIDATION',
    });
    const lastBad = [...items.slice(0, 999), { title: '' }];
    expect(await refusedIn(hub, project, () => makeAll(hub, project, lastBad))).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path: 'items.999.title' }] },
    });
    const lastLost = [...items.slice(0, 999), { title: 'x', dependencies: [randomUUID()] }];
    expect(await refusedIn(hub, project, () => makeAll(hub, project, lastLost))).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path: 'items.999.dependencies.0' }] },
    });
    expect(await makeAll(hub, project, items.slice(0, 1_000))).toHaveLength(1_000);
  });

  test('[VA1] an item has up to 1,000 planned and 10,000 touched files, however many calls they come in', async () => {
    const { project } = await scene();
    const names = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);
    const { id } = await make(hub, project, { files_planned: names(999, 'p') });
    const agent = httpAgent(hub, 'a1');
    const claimOf = (files: string[]) => () => agent.claim(id, { files });
    const next = (files: string[]) => () => agent.next(project, { files, task_types: ['bug'] });
    const bounded = { code: 'VALIDATION', details: { issues: [{ path: 'files' }] } };
    expect(await refusedIn(hub, project, claimOf(['x', 'y']))).toMatchObject(bounded);
    await call(hub, 'item.update', { id, task_type: 'bug' });
    expect(await refusedIn(hub, project, next(['x', 'y']))).toMatchObject(bounded);
    expect((await claimOf(['x'])()).claim.item.files_planned).toHaveLength(1_000);
    await agent.files(id, 1, names(10_000, 'm'));
    expect(await refusedIn(hub, project, () => agent.files(id, 1, ['x']))).toMatchObject(bounded);
    const more = () => agent.complete(id, 1, { files_modified: ['x'] });
    expect(await refusedIn(hub, project, more)).toMatchObject({
      code: 'VALIDATION',
      details: { issues: [{ path: 'files_modified' }] },
    });
    const { item } = await agent.complete(id, 1, { files_modified: ['m0'] });
    expect(item.files_modified).toHaveLength(10_000);
  });

  test('[VA6] __proto__, constructor and their like are names like any other, or refused', async () => {
    const { project } = await scene();
    const post = (body: string) => request(hub, 'POST', `/api/projects/${project}/items`, body);
    for (const body of [
      '{"title": "x", "__proto__": {"priority": 0}}',
      '{"title": "x", "constructor": {"prototype": {}}}',
      '{"__proto__": {"title": "x"}}',
      '{"title": "x", "metadata": {"__proto__": {"polluted": true}}}',
      '{"title": "x", "metadata": {"a": [{"__proto__": 1}]}}',
    ]) {
      const { status, body: answer } = await unchanged(hub, project, () => post(body));
      expect([body, status, answer.error?.code]).toEqual([body, 400, 'VALIDATION']);
    }
    const { body } = await post(
      '{"title": "x", "metadata": {"constructor": {"prototype": 1}, "toString": 2}}',
    );
    const { metadata } = (body as unknown as { item: Item }).item;
    expect(JSON.stringify(metadata)).toBe(
      '{"toString": 2, "constructor": {"prototype": 1}}'.replaceAll(': ', ':').replaceAll(', ', ','),
    );
    expect(({} as Input).polluted).toBeUndefined();
  });

  test('[VA7] JSON 10,000 deep is refused, wherever it stands', async () => {
    const { project } = await scene();
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const objects = '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000);
    for (const body of [
      deep,
      `{"title": ${deep}}`,
      `{"title": "x", "metadata": {"a": ${deep}}}`,
      `{"title": "x", "metadata": ${objects}}`,
      `{"title": "x", "dependencies": ${deep}}`,
      `{"items": ${deep}}`,
      `{"surprise": ${objects}}`,
    ]) {
      const post = () => request(hub, 'POST', `/api/projects/${project}/items`, body);
      const { status, body: answer } = await unchanged(hub, project, post);
      expect([status, answer.error?.code]).toEqual([400, 'VALIDATION']);
      expect(JSON.stringify(answer).length).toBeLessThan(3_000);
    }
    // The client cannot make such a message, an attacker can.
    const socket = await connect(hub);
    await unchanged(hub, project, async () => {
      for (const body of [
        deep,
        `{"title": ${deep}}`,
        `{"project": "${project}", "title": "x", "metadata": ${objects}}`,
      ])
        socket.socket.io.engine.write(`2["item.create",${body}]`);
      expect((await socket.call('project.get', { project })).project.id).toBe(project);
    });
  });

  test('[VA8] metadata may be 64 KiB of JSON, in bytes, and 32 deep', async () => {
    const { project } = await scene();
    const bytes = (count: number, of = 'x') => ({ a: of.repeat((count - 8) / Buffer.byteLength(of)) });
    expect(await make(hub, project, { metadata: bytes(64 * 1024) })).toMatchObject({ number: 3 });
    for (const metadata of [bytes(64 * 1024 + 1), bytes(64 * 1024 + 2, 'é')])
      expect(await refusedIn(hub, project, () => make(hub, project, { metadata }))).toMatchObject({
        code: 'VALIDATION',
        details: { issues: [{ path: 'metadata' }] },
      });
    expect(await make(hub, project, { metadata: { a: nested(31) } })).toMatchObject({ number: 4 });
  });

  test('[VA9] text is kept as it was sent: markup, quotes, right-to-left, emoji, layout in prose', async () => {
    const { project } = await scene();
    const title = `<script>alert("1")</script> '; DROP TABLE work_items; -- שלום 👩‍👩‍👧 %_\\`;
    const description = 'line\n\ttabbed\r\nlast';
    const item = await make(hub, project, { title, description, metadata: { 'ключ\n\u0007': ['\u001b'] } });
    expect(item).toMatchObject({ title, description, metadata: { 'ключ\n\u0007': ['\u001b'] } });
  });

  test('[VA10] a patch of nothing is refused', async () => {
    const { project, item } = await scene();
    for (const act of [
      () => call(hub, 'item.update', { id: item.id }),
      () => call(hub, 'item.update', { id: item.id, version: 1 }),
      () => call(hub, 'project.update', { project }),
      () => call(hub, 'project.update', { project, version: 1 }),
      () => call(hub, 'items.bulk', { project, action: 'set_priority', filter: {} }),
    ])
      expect(await refusedIn(hub, project, act)).toMatchObject({
        code: 'VALIDATION',
        message: expect.stringMatching(/^The input does not fit\. [\w]/) as string,
      });
  });

  test('[VA11] a stale version is refused with the one there is', async () => {
    const { project, item } = await scene();
    await call(hub, 'item.update', { id: item.id, title: 'two', version: 1 });
    const stale = () => call(hub, 'item.update', { id: item.id, title: 'three', version: 1 });
    expect(await refusedIn(hub, project, stale)).toMatchObject({
      code: 'VERSION_MISMATCH',
      details: { version: 2 },
    });
    const { project: row } = await call(hub, 'project.update', { project, description: 'x', version: 1 });
    expect(row.version).toBe(2);
    const late = () => call(hub, 'project.update', { project, description: 'y', version: 1 });
    expect(await refusedIn(hub, project, late)).toMatchObject({
      code: 'VERSION_MISMATCH',
      details: { version: 2 },
    });
  });

  test('[VA12] a project’s name is taken once, and deleting it takes its name', async () => {
    const { project, name } = await scene();
    const other = await newProject(hub);
    for (const act of [
      () => call(hub, 'project.create', { name }),
      () => call(hub, 'project.update', { project: other.id, name }),
    ])
      expect(await refusedIn(hub, other.id, act)).toMatchObject({
        code: 'VALIDATION',
        details: { issues: [{ path: 'name' }] },
      });
    const remove = (confirm: string) => call(hub, 'project.delete', { project, confirm });
    for (const confirm of ['', 'x', name.toUpperCase(), project])
      expect(await refusedIn(hub, project, () => remove(confirm))).toMatchObject({
        code: 'VALIDATION',
        details: { issues: [{ path: 'confirm' }] },
      });
    await remove(name);
    expect(await refusal(call(hub, 'project.get', { project }))).toMatchObject({ code: 'NOT_FOUND' });
    expect(await refusal(call(hub, 'item.create', { project, title: 'work' }))).toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('over HTTP', () => {
  const send = (project: string, body: string, headers: Record<string, string> = {}) =>
    unchanged(hub, project, () => request(hub, 'POST', `/api/projects/${project}/items`, body, headers));
  const fault = ({ status, body }: { status: number; body: { error?: WireError } }) => [
    status,
    body.error?.code,
  ];

  test('[VA13] a body that is no JSON, or no object, or not declared as JSON', async () => {
    const { project } = await scene();
    for (const body of [
      '{',
      'title=x',
      '"x"',
      '7',
      'null',
      'true',
      '{"title": "x",}',
      "{'title': 'x'}",
      '\u0000',
    ])
      expect(fault(await send(project, body)), body).toEqual([400, 'VALIDATION']);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
      expect(fault(await send(project, '{"title": "x"}', { 'content-type': type }))).toEqual([
        400,
        'VALIDATION',
      ]);
    expect(fault(await send(project, ''))).toEqual([400, 'VALIDATION']);
    expect(fault(await send(project, '{"title": "\\ud800"}'))).toEqual([400, 'VALIDATION']);
    expect(fault(await send(project, '{"title": "x", "metadata": {"a": 1e999}}'))).toEqual([
      400,
      'VALIDATION',
    ]);
  });

  test('[VA9] bytes that are no UTF-8 are refused, not replaced', async () => {
    const { project } = await scene();
    const body = Buffer.from('{"title": "caf\u00e9"}', 'latin1');
    for (const sent of [body, new Blob([body]).stream()]) {
      const answer = await unchanged(hub, project, () =>
        fetch(`${hub.url}/api/projects/${project}/items`, {
          method: 'POST',
          headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
          body: sent,
          duplex: 'half',
        }),
      );
      expect(await answer.json()).toMatchObject({ error: { code: 'VALIDATION' } });
    }
  });

  test('[VA14] a body over its bound is too large, with the bound', async () => {
    const { project, item } = await scene();
    const large = JSON.stringify({ title: 'x', description: long(1024 * 1024) });
    const answer = await send(project, large);
    expect(fault(answer)).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(answer.body.error!.details).toMatchObject({ bytes_max: 1024 * 1024 });
    const path = `/api/items/${item.id}/cancel`;
    const cancel = () => request(hub, 'POST', path, { reason: long(64 * 1024) });
    const small = await unchanged(hub, project, cancel);
    expect(fault(small)).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    expect(small.body.error!.details).toMatchObject({ bytes_max: 64 * 1024 });
    const chunked = await unchanged(hub, project, () =>
      fetch(`${hub.url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: new Blob([JSON.stringify({ reason: long(64 * 1024) })]).stream(),
        duplex: 'half',
      }),
    );
    expect(chunked.status).toBe(413);
  });

  test('[VA14] what is within the bounds of its fields is never too large', async () => {
    const description = '語'.repeat(50_000);
    const project = await newProject(hub, { description });
    expect(project.description).toBe(description);
    await call(hub, 'project.update', { project: project.id, description: `${description.slice(1)}!` });
    const item = await make(hub, project.id, { description });
    const agent = httpAgent(hub, 'a1');
    const files = Array.from({ length: 1_000 }, (_, n) => `${'d'.repeat(100)}/${n}`);
    expect((await agent.claim(item.id, { files })).claim.item.files_planned).toHaveLength(1_000);
    expect(
      (await call(hub, 'item.check_files', { project: project.id, agent_id: 'a', files })).conflicts,
    ).toHaveLength(1);
    const { item: done } = await agent.complete(item.id, 1, { result_summary: description });
    expect(done.result_summary).toBe(description);
  });

  test('[VA15] a name that stands in path, query or body with different values is refused', async () => {
    const { project, item } = await scene();
    const other = randomUUID();
    for (const [path, body] of [
      [`/api/items/${item.id}/cancel?id=${other}`, {}],
      [`/api/items/${item.id}/cancel`, { id: other }],
      [`/api/items/${item.id}/cancel?reason=a`, { reason: 'b' }],
    ] as const) {
      const answer = await unchanged(hub, project, () => request(hub, 'POST', path, body));
      expect(fault(answer)).toEqual([400, 'VALIDATION']);
    }
  });

  test('[VA15] a name that stands in the query several times is a list, or refused', async () => {
    const { project } = await scene();
    for (const task_type of ['bug', 'docs', 'test']) await make(hub, project, { task_type });
    const list = (query: string) => request(hub, 'GET', `/api/projects/${project}/items?${query}`);
    const types = async (query: string) =>
      ((await list(query)).body as unknown as { items: Item[] }).items.map((item) => item.task_type);
    expect(await types('task_type=bug&task_type=docs')).toEqual(['bug', 'docs']);
    expect(await types('task_type=bug,docs')).toEqual(['bug', 'docs']);
    for (const query of ['limit=1&limit=2', 'q=a&q=b', 'sort=number&sort=title'])
      expect(fault(await list(query)), query).toEqual([400, 'VALIDATION']);
  });

  test('[VA1] what is wrong with a number in the query is told as it was written', async () => {
    const { project } = await scene();
    for (const [query, message] of [
      ['limit=-1', 'limit: is no whole number'],
      ['limit=501', 'limit: Too big'],
      ['ready=yes', 'ready: is neither true nor false'],
    ]) {
      const { body } = await request(hub, 'GET', `/api/projects/${project}/items?${query}`);
      expect(body.error?.message).toContain(message);
    }
  });

  test('[VA16] ids and names in the path that are none', async () => {
    for (const [path, status] of [
      ['/api/items/7', 400],
      [`/api/items/${randomUUID()}`, 404],
      // Of no version that there is, and an id to PostgreSQL all the same.
      ['/api/items/11111111-2222-3333-4444-555555555555', 404],
      ['/api/items/%00', 400],
      ['/api/items/..%2f..%2fetc', 400],
      ['/api/projects/nowhere', 404],
      [`/api/projects/${randomUUID()}`, 404],
      ['/api/projects/%00', 400],
      ['/api/projects/%ff', 404],
      [`/api/projects/${long(101)}`, 400],
      ['/api/projects/nowhere/items', 404],
    ] as const) {
      const answer = await request(hub, 'GET', path);
      expect([path, answer.status]).toEqual([path, status]);
    }
  });
});

describe('over a socket', () => {
  test('[VA17] what is no object, no command or no acknowledgement does no harm', async () => {
    const { project } = await scene();
    const socket = await connect(hub);
    for (const input of [7, 'x', null, true, [], [{ project }], Buffer.from('x')]) {
      const error = await refusedIn(hub, project, () => socket.call<never>('item.list', input));
      expect(error.code).toBe('VALIDATION');
    }
    for (const name of ['item.destroy', '__proto__', 'constructor', 'toString', 'session.ready', ''])
      expect(await refusal(socket.call<never>(name, {})), name).toMatchObject({ code: 'NOT_FOUND' });
    socket.socket.emit('item.create', { project });
    socket.socket.emit('item.create');
    socket.socket.emit('item.create', { project }, 'no function', 7);
    expect((await socket.call('project.get', { project })).project.id).toBe(project);
  });

  test('[VA1] a heartbeat is held to the same bounds, and one that does not fit does not spoil others', async () => {
    const { project, item } = await scene();
    const [agent, other] = [await connectAgent(hub, project, 'a2'), await connectAgent(hub, project, 'a3')];
    await agent.call('item.claim', { id: item.id });
    const beat = (claim: Input) =>
      agent.call<never>('agent.heartbeat', { claims: [{ item_id: item.id, attempt: 1, ...claim }] });
    for (const [field, values] of Object.entries({
      attempt: [0, '1', 2 ** 31, Number.MAX_SAFE_INTEGER],
      progress: [-1, 101, '50'],
      note: [long(501), 7, hostile['a NUL'], hostile['an escape sequence'], hostile['a lone surrogate']],
    }))
      for (const value of values) {
        const [error] = await Promise.all([
          refusedIn(hub, project, () => beat({ [field]: value })),
          other.call('agent.heartbeat', { claims: [] }),
        ]);
        expect(error).toMatchObject({
          code: 'VALIDATION',
          details: { issues: [{ path: `claims.0.${field}` }] },
        });
      }
  });

  test('[VA18] too much at once from one connection is refused, and the rest is answered', async () => {
    const { project } = await scene();
    const socket = await connect(hub);
    const asked = Array.from({ length: 400 }, () => socket.call('project.get', { project }));
    const answers = await Promise.allSettled(asked);
    const refused = answers.filter((answer) => answer.status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(400 - 256);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: 'RATE_LIMITED', details: { retry_after_ms: 100 } });
    expect((await socket.call('project.get', { project })).project.id).toBe(project);
  });

  test('[VA19] a handshake that does not fit is refused with the reason', async () => {
    const { project } = await scene();
    for (const [auth, code] of [
      [{ project, agent_id: '' }, 'VALIDATION'],
      [{ project }, 'VALIDATION'],
      [{ project, agent_id: 'a', session_id: 'x' }, 'VALIDATION'],
      [{ project, agent_id: 'a', capacity: 0 }, 'VALIDATION'],
      [{ project, agent_id: 'a', capacity: 1_001 }, 'VALIDATION'],
      [{ project, agent_id: 'a', task_types: ['Not A Slug'] }, 'VALIDATION'],
      [{ project, agent_id: 'a', surprise: 1 }, 'VALIDATION'],
      [{ project: 'a\u0000', agent_id: 'a' }, 'VALIDATION'],
      [{ agent_id: 'a' }, 'VALIDATION'],
      [{ project: 'nowhere', agent_id: 'a' }, 'NOT_FOUND'],
      [{ project, agent_id: 'a', token: 'swy_wrong' }, 'UNAUTHENTICATED'],
    ] as const)
      expect(await refusal(connect(hub, auth)), JSON.stringify(auth)).toMatchObject({ code });
    const own = '11111111-2222-3333-4444-555555555555';
    expect((await connectAgent(hub, project, 'a', { session_id: own })).ready!.session_id).toBe(own);
    const agent = await connectAgent(hub, project, 'a');
    const { session_id } = agent.ready!;
    const thief = connect(hub, { project, agent_id: 'b', session_id });
    expect(await refusal(thief)).toMatchObject({ code: 'FORBIDDEN', details: { session_id } });
  });
});
