import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { commands, type CommandName } from '@switchyard/shared/commands';
import { errorSchema, httpStatusOf } from '@switchyard/shared/errors';
import {
  call,
  connect,
  createDatabase,
  newProject,
  request,
  startTestHub,
  type TestHub,
} from './setup/hub.ts';
import { get, httpAgent, make } from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

describe('answers', () => {
  test('[HT1] a create is answered with 201, everything else with 200, and the result is the body', async () => {
    const name = `n${randomUUID()}`.slice(0, 20);
    const made = await request(hub, 'POST', '/api/projects', { name });
    expect([made.status, Object.keys(made.body)]).toEqual([201, ['project']]);
    const items = `/api/projects/${name}/items`;
    const statuses = [
      await request(hub, 'POST', items, { title: 'x' }),
      await request(hub, 'POST', items, [{ title: 'y' }, { title: 'z' }]),
      await request(hub, 'POST', items, { items: [{ title: 'y' }] }),
      await request(hub, 'GET', items),
      await request(hub, 'PATCH', `/api/projects/${name}`, { description: 'x' }),
      await request(hub, 'POST', `/api/projects/${name}/claim`, { agent_id: 'a' }),
      await request(hub, 'DELETE', `/api/projects/${name}`, { confirm: name }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([201, 201, 201, 200, 200, 200, 200]);
  });

  test('[HT1] one item is answered as an item, an array as an array, in its order', async () => {
    const { name } = await newProject(hub);
    const path = `/api/projects/${name}/items`;
    const one = await request(hub, 'POST', path, { title: 'x' });
    expect(one.body).toMatchObject({ item: { title: 'x', number: 1 } });
    const many = await request(hub, 'POST', path, [{ title: 'a' }, { title: 'b' }]);
    expect(many.body).toMatchObject({
      items: [
        { title: 'a', number: 2 },
        { title: 'b', number: 3 },
      ],
    });
  });

  test('[HT2] a refusal is {error: {code, message, details}} under the status of its code', async () => {
    const { id: project } = await newProject(hub);
    const [a, b] = [await make(hub, project), await make(hub, project)];
    await httpAgent(hub, 'a1').claim(a.id);
    const later = await make(hub, project, { dependencies: [a.id] });
    const claim = (id: string) => request(hub, 'POST', `/api/items/${id}/claim`, { agent_id: 'a2' });
    const answers = [
      [await request(hub, 'POST', `/api/projects/${project}/items`, {}), 'VALIDATION'],
      [
        await request(hub, 'GET', '/api/projects', undefined, { authorization: 'Bearer x' }),
        'UNAUTHENTICATED',
      ],
      [
        await request(hub, 'GET', '/api/projects', undefined, { origin: 'https://evil.example' }),
        'FORBIDDEN',
      ],
      [await request(hub, 'GET', `/api/items/${randomUUID()}`), 'NOT_FOUND'],
      [await claim(a.id), 'ALREADY_CLAIMED'],
      [await claim(later.id), 'NOT_READY'],
      [await request(hub, 'POST', `/api/items/${b.id}/retry`, {}), 'INVALID_TRANSITION'],
      [
        await request(hub, 'POST', `/api/items/${a.id}/release`, { agent_id: 'a2', attempt: 1 }),
        'CLAIM_LOST',
      ],
      [await request(hub, 'PATCH', `/api/items/${a.id}`, { dependencies: [later.id] }), 'DEPENDENCY_CYCLE'],
      [await request(hub, 'PATCH', `/api/items/${a.id}`, { title: 'x', version: 99 }), 'VERSION_MISMATCH'],
    ] as const;
    for (const [{ status, body }, code] of answers) {
      expect([status, body.error?.code]).toEqual([httpStatusOf[code], code]);
      expect(errorSchema.strict().safeParse(body.error).error).toBeUndefined();
      expect(Object.keys(body)).toEqual(['error']);
      expect(body.error!.message).toMatch(/\.$|[a-z"]$/);
    }
  });

  test('[HT3] what is not there is 404, in JSON', async () => {
    for (const [method, path] of [
      ['GET', '/api/nothing'],
      ['GET', '/api'],
      ['POST', '/api/items'],
      ['DELETE', '/api/projects'],
      ['PUT', `/api/items/${randomUUID()}`],
      ['POST', '/api/items/x/y/z'],
      ['POST', '/nowhere'],
      ['DELETE', '/healthz'],
    ] as const) {
      const { status, body } = await request(hub, method, path);
      expect([method, path, status, body.error?.code]).toEqual([method, path, 404, 'NOT_FOUND']);
    }
  });

  test('[HT4] /healthz and /readyz say that all is well', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const { status, body } = await request(hub, 'GET', path, undefined, { authorization: '' });
      expect([status, body]).toEqual([200, { ok: true }]);
    }
    const metrics = await fetch(`${hub.url}/metrics`, {
      headers: { authorization: `Bearer ${hub.adminToken}` },
    });
    expect(await metrics.text()).toMatch(/^switchyard_database_reachable 1$/m);
  });
});

describe('the OpenAPI document', () => {
  interface Operation {
    operationId: string;
    parameters: { name: string; in: string; required: boolean; schema: object }[];
    requestBody?: { required: boolean; content: { 'application/json': { schema: Schema } } };
    responses: Record<string, { content: { 'application/json': { schema: Schema } } }>;
  }
  type Schema = Record<string, unknown>;
  interface Document {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  }
  const load = async () => (await request(hub, 'GET', '/api/openapi.json')).body as unknown as Document;

  test('[HT5] lists every command and nothing else, each under its path and method', async () => {
    const { openapi, paths } = await load();
    expect(openapi).toMatch(/^3\.1/);
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => `${operation.operationId} ${method} ${path}`),
    );
    const table = Object.entries(commands).map(
      ([name, { method, path }]) => `${name} ${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
    );
    expect(operations.sort()).toEqual(table.sort());
  });

  test('[HT5] names every parameter of a path, and a body for all that is no GET', async () => {
    const { paths } = await load();
    for (const [path, methods] of Object.entries(paths))
      for (const [method, { operationId, parameters, requestBody, responses }] of Object.entries(methods)) {
        const inPath = parameters.filter((one) => one.in === 'path');
        expect(inPath.map((one) => `{${one.name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
        expect(
          parameters.every((one) => typeof one.schema === 'object'),
          operationId,
        ).toBe(true);
        expect(requestBody === undefined, operationId).toBe(method === 'get');
        const inPathOnly = Object.fromEntries(inPath.map(({ name }) => [name, randomUUID()]));
        const { success: fits } = commands[operationId as CommandName].input.safeParse(inPathOnly);
        if (requestBody) expect(requestBody.required, operationId).toBe(!fits);
        const { success = 200 } = commands[operationId as CommandName] as { success?: number };
        expect(Object.keys(responses)).toEqual([String(success), 'default']);
      }
    const create = paths['/api/projects/{project}/items']!.post!;
    expect(create.parameters.map((one) => one.name)).toEqual(['project', 'Idempotency-Key']);
    const search = paths['/api/projects/{project}/items']!.get!.parameters.map((one) => one.name);
    expect(search).toEqual(
      expect.arrayContaining([
        'status',
        'ready',
        'task_type',
        'agent',
        'parent',
        'q',
        'sort',
        'limit',
        'cursor',
      ]),
    );
  });

  test('[HT5] is made of JSON Schemas whose references all lead somewhere', async () => {
    const document = await load();
    const types = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
    const look = (value: unknown, at: string): void => {
      if (Array.isArray(value)) return value.forEach((one, n) => look(one, `${at}/${n}`));
      if (typeof value !== 'object' || value === null) return;
      const schema = value as Schema;
      if (typeof schema.$ref === 'string')
        expect(document.components.schemas, at).toHaveProperty(
          schema.$ref.replace('#/components/schemas/', ''),
        );
      if (
        typeof schema.type === 'string' &&
        !at.endsWith('/properties') &&
        schema.in === undefined &&
        schema.scheme === undefined
      )
        expect(types, at).toContain(schema.type);
      if (Array.isArray(schema.required) && schema.properties)
        expect(Object.keys(schema.properties), at).toEqual(expect.arrayContaining(schema.required));
      for (const key of ['anyOf', 'oneOf', 'enum'])
        if (key in schema && !at.endsWith('/properties')) expect(schema[key], at).toBeInstanceOf(Array);
      for (const [key, one] of Object.entries(schema)) look(one, `${at}/${key}`);
    };
    look(document, '');
    const text = JSON.stringify(document);
    expect(text).not.toContain('#/$defs');
    expect(text).toContain('additionalProperties":false');
  });
});

describe('faults', () => {
  /** A way to PostgreSQL that can be cut. */
  async function wire(to: { host: string; port: number }) {
    const open = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connectTo(`${to.host}/.s.PGSQL.${to.port}`);
      for (const [end, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        open.add(end);
        end.on('error', () => other.destroy());
        end.on('close', () => open.delete(end) && other.destroy());
        end.pipe(other);
      }
    });
    const listen = async (port: number) => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    };
    const port = await listen(0);
    const cut = () => {
      server.close();
      open.forEach((end) => end.destroy());
    };
    return { port, cut, mend: () => listen(port) };
  }

  test('[HT6] while the database is away, commands are refused as UNAVAILABLE, and work again once it is back', async () => {
    const database = await createDatabase();
    const { port, cut, mend } = await wire(database);
    const away = await startTestHub({ database: { ...database, host: '127.0.0.1', port } });
    onTestFinished(() => away.stop());
    const { id: project } = await newProject(away);
    const { id } = await make(away, project);
    const socket = await connect(away);
    cut();
    const input = { project, title: 'x', request_id: randomUUID() };
    const answers = [
      await request(away, 'GET', `/api/items/${id}`),
      await request(away, 'POST', `/api/projects/${project}/items`, { title: 'x' }),
      await request(away, 'GET', '/readyz'),
    ];
    for (const { status, body, headers } of answers) {
      expect([status, body.error?.code]).toEqual([503, 'UNAVAILABLE']);
      expect(body.error!.details.retry_after_ms).toBeGreaterThan(0);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await expect(socket.call('item.create', input)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: { retry_after_ms: 1_000 },
    });
    expect((await request(away, 'GET', '/healthz')).status).toBe(200);
    await mend();
    await expect
      .poll(async () => (await request(away, 'GET', '/readyz')).status, { timeout: 10_000 })
      .toBe(200);
    // Refused, so not done: the same request is done now, once.
    const twice = [await socket.call('item.create', input), await socket.call('item.create', input)];
    expect(twice[1]).toEqual(twice[0]);
    expect((await call(away, 'item.list', { project })).total).toBe(2);
    expect(await get(away, id)).toMatchObject({ number: 1 });
  });

  test('[HT7] a fault of the hub’s own is INTERNAL with an id for its log, and tells nothing of SQL or stack', async () => {
    const database = await createDatabase();
    const broken = await startTestHub({ database });
    onTestFinished(() => broken.stop());
    const { id: project } = await newProject(broken);
    const sql = postgres({ ...database, max: 1, onnotice: () => {} });
    onTestFinished(() => sql.end());
    await sql`ALTER TABLE work_items RENAME TO mislaid`;
    for (const answer of [
      await request(broken, 'GET', `/api/projects/${project}/items`),
      await request(broken, 'POST', `/api/projects/${project}/items`, { title: 'x' }),
    ]) {
      expect([answer.status, answer.body.error?.code]).toEqual([500, 'INTERNAL']);
      expect(answer.body.error!.details).toEqual({
        error_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      });
      expect(JSON.stringify(answer.body)).not.toMatch(/work_items|SELECT|relation|\.ts|node_modules/);
    }
    await sql`ALTER TABLE mislaid RENAME TO work_items`;
    expect(await make(broken, project)).toMatchObject({ number: 1 });
  });
});
