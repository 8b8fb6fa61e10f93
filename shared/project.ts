import { z } from 'zod';
import { limits } from './limits.ts';
import { conflictPolicySchema, instant, uuid } from './item.ts';
import { line } from './text.ts';

export const projectSchema = z
  .object({
    id: uuid,
    name: z.string(),
    description: z.string().nullable(),
    conflict_policy: conflictPolicySchema,
    last_seq: z.int(),
    created_at: instant,
    updated_at: instant,
    version: z.int(),
  })
  .meta({ id: 'Project' });
export type Project = z.infer<typeof projectSchema>;

const looksLikeUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-/;

/** A project's name is a slug, and never looks like an id: every `:project` in a route takes either. */
export const projectNameSchema = z
  .string()
  .min(1)
  .max(limits.projectNameLength)
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'is no slug: use a-z, 0-9, . - and _')
  .refine((name) => !looksLikeUuid.test(name), 'looks like an id: choose a name');

export const projectRefSchema = line(limits.projectNameLength).describe("a project's id or name");

export const roles = ['viewer', 'agent', 'operator'] as const;
export type Role = (typeof roles)[number];

export const tokenSchema = z
  .object({
    id: uuid,
    role: z.enum(roles),
    project_id: uuid.nullable().describe('null: all projects'),
    agent_id: z.string().nullable().describe('bound to one agent, whatever the caller says'),
    label: z.string(),
    created_at: instant,
    expires_at: instant.nullable(),
    revoked_at: instant.nullable(),
  })
  .meta({ id: 'Token' });
export type Token = z.infer<typeof tokenSchema>;
