import { v7 as newId } from 'uuid';
import type { CommandOutput, ParsedInput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import { createToken, listTokens, newSecret, revokeToken } from '../domain/tokens.ts';
import { identityOf, projectIdFor, type Call } from './call.ts';
import { badLink } from './links.ts';

/** Who may come in. A token for one project makes and sees tokens of that project only. */
export const tokens = {
  'token.create': async (
    call: Call,
    input: ParsedInput<'token.create'>,
  ): Promise<CommandOutput<'token.create'>> => {
    const { role, label, agent_id = null, expires_at = null } = input;
    const named = input.project ?? call.caller.token.project_id;
    const project_id = named === null ? null : await projectIdFor(call, named);
    const secret = newSecret();
    const token = await call.hub.db.read((sql) =>
      createToken(
        sql,
        { id: newId(), secret, role, project_id, agent_id, label, expires_at },
        identityOf(call, agent_id ?? undefined),
      ),
    );
    if (!token) throw badLink('expires_at', 'is in the past');
    call.remembered = true;
    return { token: { ...token, token: secret } };
  },

  'token.list': async (call: Call): Promise<CommandOutput<'token.list'>> => {
    return { tokens: await call.hub.db.read((sql) => listTokens(sql, call.caller.token.project_id)) };
  },

  'token.revoke': async (
    call: Call,
    input: ParsedInput<'token.revoke'>,
  ): Promise<CommandOutput<'token.revoke'>> => {
    const token = await call.hub.db.read((sql) => revokeToken(sql, input.id, call.caller.token.project_id));
    if (!token)
      throw new Refusal(
        'NOT_FOUND',
        `There is no token ${input.id} that you may see. token.list names those there are.`,
        { id: input.id },
      );
    return { token };
  },
};
