import { createHash, randomBytes } from 'node:crypto';
import type { Role, Token } from '@switchyard/shared/project';
import type { Fragment, Sql } from '../db/database.ts';
import type { Entry } from './journal.ts';
import { remembering, unanswered } from './requests.ts';

const columns = (sql: Sql): Fragment => sql`
  id, role, project_id, agent_id, label, iso(created_at) AS created_at, iso(expires_at) AS expires_at, iso(revoked_at) AS revoked_at`;

/** 256 random bits; the prefix is for secret scanners. */
export function newSecret(): string {
  return `swy_${randomBytes(32).toString('base64url')}`;
}

/** A 256-bit random secret needs no salt and no slow hash: there is nothing to guess. */
export function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

export interface NewToken {
  id: string;
  secret: string;
  role: Role;
  project_id: string | null;
  agent_id: string | null;
  label: string;
  expires_at: string | null;
}

// A secret is in its first answer only; what is kept for a repeat has none.
const secretShown = '(shown once: revoke this token and create another)';

/** Undefined when it would have expired already, on the clock by which it expires, or `by` was answered before. */
export async function createToken(sql: Sql, token: NewToken, by: Entry): Promise<Token | undefined> {
  const { id, secret, role, project_id, agent_id, label, expires_at } = token;
  const [made] = await sql<Token[]>`
    WITH changed AS (
      INSERT INTO api_tokens (id, hash, role, project_id, agent_id, label, expires_at)
      SELECT ${id}::uuid, ${hashOf(secret)}::bytea, ${role}, ${project_id}::uuid, ${agent_id}, ${label}, ${expires_at}::timestamptz
      WHERE (${expires_at}::timestamptz IS NULL OR ${expires_at}::timestamptz > clock_timestamp()) AND ${unanswered(sql, by)}
      RETURNING *
    )${remembering(sql, 'token', sql`${columns(sql)}, ${secretShown}::text AS token`, by)}
    SELECT ${columns(sql)} FROM changed`;
  return made;
}

/** The token behind a secret, while it is good. */
export async function findToken(sql: Sql, secret: string): Promise<Token | undefined> {
  const [token] = await sql<Token[]>`
    SELECT ${columns(sql)} FROM api_tokens WHERE hash = ${hashOf(secret)} AND ${isGood(sql)}`;
  return token;
}

export async function listTokens(sql: Sql, projectId: string | null): Promise<Token[]> {
  return sql<Token[]>`
    SELECT ${columns(sql)} FROM api_tokens
    WHERE ${projectId}::uuid IS NULL OR project_id = ${projectId}::uuid ORDER BY created_at`;
}

/** Undefined when there is none such (of that project). Revoking twice is revoking once. */
export async function revokeToken(
  sql: Sql,
  id: string,
  projectId: string | null,
): Promise<Token | undefined> {
  const [token] = await sql<Token[]>`
    UPDATE api_tokens SET revoked_at = coalesce(revoked_at, clock_timestamp())
    WHERE id = ${id} AND (${projectId}::uuid IS NULL OR project_id = ${projectId}::uuid) RETURNING ${columns(sql)}`;
  return token;
}

/** Of these tokens, those that have been revoked, or have expired, or went with their project. */
export async function spentTokens(sql: Sql, ids: readonly string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    SELECT asked.id FROM unnest(${ids as string[]}::uuid[]) AS asked (id)
    WHERE NOT EXISTS (SELECT FROM api_tokens t WHERE t.id = asked.id AND ${isGood(sql)})`;
  return rows.map((row) => row.id);
}

const isGood = (sql: Sql): Fragment =>
  sql`revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())`;

/** Makes the operator token that the hub keeps for its own machine known to the database. */
export async function ensureAdminToken(sql: Sql, id: string, secret: string): Promise<void> {
  await sql`
    INSERT INTO api_tokens (id, hash, role, label) VALUES (${id}, ${hashOf(secret)}, 'operator', 'admin')
    ON CONFLICT (hash) DO NOTHING`;
}
