import type { CommandOutput } from '@switchyard/shared/commands';
import type { WireError } from '@switchyard/shared/errors';
import type { Role } from '@switchyard/shared/project';

/** A request that came to nothing: the hub's own words where it had any. */
export class HubError extends Error {
  readonly code: WireError['code'];
  readonly details: WireError['details'];

  constructor({ code, message, details }: Pick<WireError, 'code' | 'message'> & Partial<WireError>) {
    super(message);
    this.code = code;
    this.details = details ?? {};
  }
}

const unreachable = { code: 'UNAVAILABLE', message: 'The hub does not answer. Is it running?' } as const;

async function call<T>(path: string, init?: RequestInit): Promise<T> {
  const response = await fetch(path, init).catch(() => {
    throw new HubError(unreachable);
  });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as T;
  throw new HubError((body as { error?: WireError } | null)?.error ?? unreachable);
}

/** Who the hub takes this browser for. */
export interface Caller {
  role: Role;
  /** Null: all projects. */
  project_id: string | null;
  label: string;
}

/** Trades a token for a cookie that scripts cannot read. */
export async function signIn(token: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  await call('/api/session', { method: 'POST', headers, body: JSON.stringify({ token }) });
}

export async function whoAmI(): Promise<Caller> {
  return (await call<{ session: Caller }>('/api/session')).session;
}

export async function signOut(): Promise<void> {
  await call('/api/session', { method: 'DELETE' });
}

/** A command over HTTP, for pages that watch no project. */
export function send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return call(path, { method, ...(body === undefined ? {} : { headers, body: JSON.stringify(body) }) });
}

export async function listTokens() {
  return (await call<CommandOutput<'token.list'>>('/api/tokens')).tokens;
}

export async function listProjects() {
  return (await call<CommandOutput<'project.list'>>('/api/projects')).projects;
}

export async function listEvents(project: string, after: number, limit: number) {
  const path = `/api/projects/${encodeURIComponent(project)}/events?after=${after}&limit=${limit}`;
  return (await call<CommandOutput<'project.events'>>(path)).events;
}

export async function readProgress(project: string) {
  const path = `/api/projects/${encodeURIComponent(project)}/progress`;
  return (await call<CommandOutput<'project.progress'>>(path)).progress;
}
