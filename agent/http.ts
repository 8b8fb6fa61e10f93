import {
  commands,
  type CommandInput,
  type CommandName,
  type CommandOutput,
} from '@switchyard/shared/commands';
import { errorSchema, Refusal } from '@switchyard/shared/errors';
import { callTimeoutMsDefault, type Call } from './call.ts';
import type { HubAddress } from './hub-address.ts';

const askMs = 5_000;

/**
 * Commands over HTTP, typed by the command table.
 *
 *     const call = httpCaller(findHub());
 *     const { projects } = await call('project.list', {});
 */
export function httpCaller({ url, token }: HubAddress): Call {
  return async (command, input, { timeoutMs = callTimeoutMsDefault } = {}) => {
    const request = httpRequest(command, input);
    const headers: Record<string, string> = { ...request.headers, authorization: `Bearer ${token}` };
    const signal = AbortSignal.timeout(timeoutMs);
    // A hub leads nowhere else, and fetch would go there without the token.
    const init: RequestInit = { ...request, headers, signal, redirect: 'manual' };
    try {
      const response = await fetch(new URL(request.path, url), init);
      const text = await response.text();
      if (!response.ok) throw refusalOf(response.status, text);
      return answerIn(response.status, text) as CommandOutput<typeof command>;
    } catch (error) {
      throw error instanceof Refusal ? error : noAnswerFrom(url, error as Error);
    }
  };
}

/** Somebody else may listen where a hub is looked for, and answer to anything with a page. */
function answerIn(status: number, text: string): object {
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) return answer;
  } catch {
    // no JSON
  }
  throw noHub(status);
}

/** What a failed `fetch` means. */
export function noAnswerFrom(url: string, error: Error): Refusal {
  const why = error.cause instanceof Error ? error.cause.message : error.message;
  return new Refusal('UNAVAILABLE', `The hub at ${url} does not answer (${why}). Is it started?`);
}

/** The request that carries a command: `:name` parts into the path, then a query or a JSON body. */
export function httpRequest<K extends CommandName>(command: K, input: CommandInput<K>) {
  const { method, path } = commands[command];
  const { request_id, ...rest } = input as Record<string, unknown>;
  const filled = path.replace(/:(\w+)/g, (_, name: string) => {
    const value = encodeURIComponent(String(rest[name]));
    delete rest[name];
    return value;
  });
  const headers: Record<string, string> = {};
  if (typeof request_id === 'string') headers['idempotency-key'] = request_id;
  if (method === 'GET' || method === 'DELETE') return { method, path: filled + queryOf(rest), headers };
  headers['content-type'] = 'application/json';
  return { method, path: filled, headers, body: JSON.stringify(rest) };
}

/** Query fields are texts, numbers, flags, or lists of texts, which go comma-separated. */
function queryOf(fields: Record<string, unknown>): string {
  const given = Object.entries(fields as Record<string, string | number | boolean | string[] | undefined>);
  const query = new URLSearchParams();
  for (const [name, value] of given) if (value !== undefined) query.set(name, String(value));
  return query.size > 0 ? `?${query.toString()}` : '';
}

/** What an answer that is no success means. */
export function refusalOf(status: number, text: string): Refusal {
  try {
    const { code, message, details } = errorSchema.parse((JSON.parse(text) as { error: unknown }).error);
    return new Refusal(code, message, details);
  } catch {
    return noHub(status);
  }
}

/** The agent that a token is bound to, if it is; what is amiss with hub or token, the next command says. */
export async function boundAgent({ url, token }: HubAddress): Promise<string | null> {
  const asked = { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(askMs) };
  try {
    const answer = (await (await fetch(new URL('/api/session', url), asked)).json()) as {
      session: { agent_id?: string | null };
    };
    return answer.session.agent_id ?? null;
  } catch {
    return null;
  }
}

/** Whether what answered at `/healthz` is a hub. */
export async function isFromHub(health: Response): Promise<boolean> {
  const answer: unknown = await health.json().catch(() => null);
  return health.ok && typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true;
}

/** As when nobody answers: a proxy may stand before the hub, which is away for a moment. */
function noHub(status: number): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    `The answer (${status}) is none of a hub's. Does the address lead to one?`,
  );
}
