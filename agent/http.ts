import {
  commands,
  type CommandInput,
  type CommandName,
  type CommandOutput,
} from '@switchyard/shared/commands';
import { errorSchema, Refusal } from '@switchyard/shared/errors';
import { callTimeoutMsDefault, type Call } from './call.ts';
import type { HubAddress } from './hub-address.ts';

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
    const answer = await fetch(new URL(request.path, url), { ...request, headers, signal }).then(
      async (response) => ({ ok: response.ok, status: response.status, text: await response.text() }),
      (error: Error) => {
        throw noAnswerFrom(url, error);
      },
    );
    if (!answer.ok) throw refusalOf(answer.status, answer.text);
    return JSON.parse(answer.text) as CommandOutput<typeof command>;
  };
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
    return new Refusal(
      'INTERNAL',
      `The answer (${status}) is none of a hub's. Does the address lead to one?`,
    );
  }
}
