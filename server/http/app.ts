import { Hono, type Context } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import type { HttpBindings } from '@hono/node-server';
import { z } from 'zod';
import { commands, type CommandName, type CommandSpec } from '@switchyard/shared/commands';
import { httpStatusOf, Refusal } from '@switchyard/shared/errors';
import { limits } from '@switchyard/shared/limits';
import { mcpPath } from '@switchyard/shared/mcp';
import { answerFor, asRefusal } from '../dispatch.ts';
import type { Hub } from '../hub.ts';
import { stringify } from '../json.ts';
import type { McpSide } from '../mcp/endpoint.ts';
import { authenticate, cookieName, tokenFromCookie } from './authenticate.ts';
import { board } from './board.ts';
import { docs } from './docs.ts';
import type { Metrics } from './metrics.ts';
import { openApi } from './openapi.ts';
import { originIsAllowed, type OriginRules } from './origin.ts';

type Env = { Bindings: HttpBindings };
type Http = Context<Env>;

const sessionSeconds = 30 * 24 * 3_600;

export interface HttpParts {
  hub: Hub;
  rules: OriginRules;
  metrics: Metrics;
  mcp: McpSide;
  /** Folder of the built board. */
  boardFolder: URL;
}

/** All of the hub's HTTP: the commands from their table, the browser's session, health, documentation, the board. */
export function httpApp({ hub, rules, metrics, mcp, boardFolder }: HttpParts): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => refuse(c, asRefusal(hub, `${c.req.method} ${c.req.path}`, error)));
  app.use('*', async (c, next) => {
    if (!originIsAllowed(c.env.incoming.headers, rules)) throw foreignOrigin();
    await next();
    c.header('X-Content-Type-Options', 'nosniff');
    c.header('Referrer-Policy', 'no-referrer');
    c.header('Cross-Origin-Resource-Policy', 'same-origin');
  });
  health(app, hub);
  app.get('/metrics', async (c) => {
    await callerOf(c, hub);
    return c.text(await metrics.text(), 200, { 'Content-Type': metrics.contentType });
  });
  app.get('/api/openapi.json', async (c) => {
    await callerOf(c, hub);
    return c.json(openApi());
  });
  docs(app);
  browserSession(app, hub);
  app.all(mcpPath, async (c) => {
    const token = await authenticate(hub.db, bearerOf(c));
    const body = c.req.method === 'POST' ? await bodyOf(c, limits.bulkMessageBytes) : undefined;
    const onClose = (listener: () => void) => void c.env.outgoing.once('close', listener);
    return mcp.answer({ request: c.req.raw, body, token, onClose });
  });
  // Where MCP clients look for OAuth, which there is none of.
  app.all('/.well-known/*', (c) => refuse(c, nothingAt(c)));
  for (const name of Object.keys(commands) as CommandName[]) serveCommand(app, hub, name);
  // Any other address that is read is the board's.
  app.all('/api/*', (c) => refuse(c, nothingAt(c)));
  board(app, boardFolder);
  app.notFound((c) => refuse(c, nothingAt(c)));
  return app;
}

function health(app: Hono<Env>, hub: Hub): void {
  app.get('/healthz', (c) => c.json({ ok: true }));
  app.get('/readyz', async (c) => {
    // It listens only once the migrations are done, so what remains to ask is the database.
    await hub.db.control((sql) => sql`SELECT 1`);
    return c.json({ ok: true });
  });
}

/** `POST /api/session {token}` trades a token for a cookie that scripts cannot read and other sites cannot send. */
function browserSession(app: Hono<Env>, hub: Hub): void {
  const path = '/api/session';
  app.get(path, async (c) => {
    const { role, project_id, agent_id, label } = await callerOf(c, hub);
    return c.json({ session: { role, project_id, agent_id, label } });
  });
  app.post(path, async (c) => {
    const body = await bodyOf(c, limits.messageBytes);
    const secret = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
    if (typeof secret !== 'string') {
      throw new Refusal('VALIDATION', 'Send {"token": "swy_…"}.', {
        issues: [{ path: 'token', message: 'is missing' }],
      });
    }
    const { role, project_id, agent_id, label } = await authenticate(hub.db, secret);
    const secure = c.req.header('x-forwarded-proto') === 'https';
    setCookie(c, cookieName, secret, {
      httpOnly: true,
      sameSite: 'Strict',
      path: '/',
      maxAge: sessionSeconds,
      secure,
    });
    return c.json({ session: { role, project_id, agent_id, label } });
  });
  app.delete(path, (c) => {
    deleteCookie(c, cookieName, { path: '/' });
    return c.json({ session: null });
  });
}

function serveCommand(app: Hono<Env>, hub: Hub, name: CommandName): void {
  const spec: CommandSpec = commands[name];
  const repeatable = takesRequestId(spec.input);
  app.on(spec.method, spec.path, async (c) => {
    const token = await callerOf(c, hub);
    const input = await inputOf(c, spec.messageBytes ?? limits.messageBytes, repeatable);
    const result = await answerFor(hub, { token, session: null }, name, input);
    return answerJson(result, spec.success ?? 200);
  });
}

function takesRequestId(input: z.ZodType): boolean {
  if (input instanceof z.ZodUnion) return input.options.some((one) => takesRequestId(one as z.ZodType));
  return input instanceof z.ZodObject && 'request_id' in input.shape;
}

function answerJson(result: unknown, status: number): Response {
  return new Response(stringify(result), { status, headers: { 'Content-Type': 'application/json' } });
}

/** Path, query and body make up one object; a name that stands in two of them with different values is a mistake. */
async function inputOf(c: Http, bytesMax: number, repeatable: boolean): Promise<Record<string, unknown>> {
  const body = c.req.method === 'GET' ? undefined : await bodyOf(c, bytesMax);
  const fields = Array.isArray(body) ? { items: body as unknown[] } : (body ?? {});
  if (typeof fields !== 'object') throw badBody('is no JSON object');
  // Clients send it with every request; what changes nothing has no use for it.
  const key = repeatable ? c.req.header('idempotency-key') : undefined;
  // A name that is repeated is a list: ?status=todo&status=failed.
  const query = Object.entries(c.req.queries()).map(([name, values]) => [
    name,
    values.length > 1 ? values : values[0],
  ]);
  const parts = [
    fields,
    Object.fromEntries(query) as Record<string, unknown>,
    key === undefined ? {} : { request_id: key },
    c.req.param(),
  ];
  const input: Record<string, unknown> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      if (Object.hasOwn(input, name) && input[name] !== value) {
        throw new Refusal('VALIDATION', `"${name}" stands in the request twice, with different values.`, {
          issues: [{ path: name, message: 'stands in the request twice' }],
        });
      }
      Object.defineProperty(input, name, { value, enumerable: true, writable: true, configurable: true });
    }
  }
  return input;
}

async function bodyOf(c: Http, bytesMax: number): Promise<unknown> {
  const text = await textOf(c, bytesMax);
  if (text === '') return undefined;
  const type = c.req.header('content-type') ?? '';
  // Only a form could be sent across origins without being asked for first.
  if (!type.includes('json')) throw badBody('is not declared as JSON: send Content-Type: application/json');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw badBody('is no valid JSON');
  }
}

const badBody = (message: string) =>
  new Refusal('VALIDATION', `The body ${message}.`, {
    issues: [{ path: '', message: `the body ${message}` }],
  });

async function callerOf(c: Http, hub: Hub) {
  const bearer = bearerOf(c);
  if (bearer !== undefined) return authenticate(hub.db, bearer);
  const cookie = tokenFromCookie(c.req.header('cookie'));
  const writes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
  const fromHere = c.req.header('origin') !== undefined || c.req.header('sec-fetch-site') === 'same-origin';
  if (cookie !== undefined && writes && !fromHere) throw foreignOrigin();
  return authenticate(hub.db, cookie);
}

function bearerOf(c: Http): string | undefined {
  const header = c.req.header('authorization');
  return header === undefined ? undefined : (/^Bearer\s+(\S+)$/i.exec(header)?.[1] ?? '(none)');
}

const nothingAt = (c: Http) =>
  new Refusal(
    'NOT_FOUND',
    `There is no ${c.req.method} ${c.req.path}. /api/openapi.json lists what there is.`,
  );

const foreignOrigin = () =>
  new Refusal(
    'FORBIDDEN',
    'This address or page may not use the hub. Add its origin to SWITCHYARD_ALLOWED_ORIGINS if it should.',
  );

/**
 * The body, read no further than `bytesMax`. Not by hono/body-limit: a body without a Content-Length, such as the
 * empty one of a DELETE, it puts into a new Request, which fails as long as @hono/node-server leaves the globals alone.
 */
async function textOf(c: Http, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = Number(c.req.header('content-length') ?? 0);
  if (bytes > bytesMax) throw tooLarge(bytesMax);
  // Node holds a body to its Content-Length.
  if (bytes > 0) return decoded(await c.req.arrayBuffer());
  for await (const chunk of (c.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return decoded(Buffer.concat(chunks));
}

/** Refused rather than read with replacement characters: what is kept is what was sent. */
function decoded(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badBody('is no valid UTF-8');
  }
}

const tooLarge = (bytesMax: number) =>
  new Refusal('PAYLOAD_TOO_LARGE', `The body is larger than ${bytesMax} bytes. Send less at once.`, {
    bytes_max: bytesMax,
  });

function refuse(c: Http, refusal: Refusal): Response {
  const retry = refusal.details.retry_after_ms;
  if (typeof retry === 'number') c.header('Retry-After', String(Math.ceil(retry / 1_000)));
  if (refusal.code === 'UNAUTHENTICATED') c.header('WWW-Authenticate', 'Bearer');
  return c.json({ error: refusal.toJSON() }, httpStatusOf[refusal.code]);
}
