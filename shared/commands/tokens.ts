import { z } from 'zod';
import { agentIdSchema, instant } from '../item.ts';
import { limits } from '../limits.ts';
import { projectRefSchema, roles, tokenSchema } from '../project.ts';
import { line } from '../text.ts';
import { id, requestId, define } from './spec.ts';

/** Who may come in. */
export const tokenCommands = define({
  'token.create': {
    summary: 'Make a token; its secret is in this answer only',
    role: 'operator',
    method: 'POST',
    path: '/api/tokens',
    success: 201,
    input: z.strictObject({
      role: z.enum(roles),
      project: projectRefSchema.nullable().optional().describe('for this project only'),
      agent_id: agentIdSchema.nullable().optional().describe('for this agent only'),
      label: line(limits.labelLength),
      // PostgreSQL knows no year 0.
      expires_at: instant
        .refine((at) => !at.startsWith('0000'), 'is in the past')
        .nullable()
        .optional(),
      ...requestId,
    }),
    output: z.object({ token: tokenSchema.extend({ token: z.string() }) }),
  },
  'token.list': {
    summary: 'List tokens, without their secrets',
    role: 'operator',
    method: 'GET',
    path: '/api/tokens',
    input: z.strictObject({}),
    output: z.object({ tokens: z.array(tokenSchema) }),
  },
  'token.revoke': {
    summary: 'Revoke a token; its sockets are closed within 2 s',
    role: 'operator',
    method: 'DELETE',
    path: '/api/tokens/:id',
    input: z.strictObject({ ...id, ...requestId }),
    output: z.object({ token: tokenSchema }),
  },
});
