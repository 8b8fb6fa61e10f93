import { Refusal } from '@switchyard/shared/errors';
import type { Token } from '@switchyard/shared/project';
import type { Database } from '../db/database.ts';
import { findToken } from '../domain/tokens.ts';

export const cookieName = 'switchyard_session';

/** The token behind a secret; UNAUTHENTICATED for none, a wrong, a revoked or an expired one, all alike. */
export async function authenticate(db: Database, secret: string | undefined): Promise<Token> {
  const token = secret && secret.length <= 200 ? await db.read((sql) => findToken(sql, secret)) : undefined;
  if (token) return token;
  throw new Refusal(
    'UNAUTHENTICATED',
    secret
      ? 'This token is not known here, or was revoked, or has expired. Ask an operator for another.'
      : 'Say who you are: send a token (HTTP: Authorization: Bearer swy_…; a socket: auth.token).',
  );
}

/** The session cookie's token. */
export function tokenFromCookie(header: string | undefined): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const [name, ...value] = part.trim().split('=');
    if (name === cookieName) return value.join('=');
  }
  return undefined;
}
