import { z } from 'zod';
import { agentIdSchema, attemptField, itemSchema, taskTypeSchema, uuid } from '../item.ts';
import { limits } from '../limits.ts';
import { plannedPaths } from '../paths.ts';
import { projectRefSchema, type Role } from '../project.ts';
import { line } from '../text.ts';

/** One command: written here once, served over HTTP, Socket.IO, OpenAPI and whatever comes next. */
export interface CommandSpec {
  summary: string;
  /** Least role that may call it. */
  role: Role;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Hono's form: `:name` are fields of the input. */
  path: string;
  input: z.ZodType<Record<string, unknown>>;
  output: z.ZodType;
  /** HTTP status of a success. */
  success?: 200 | 201;
  /** Bytes one message may have. */
  messageBytes?: number;
}

export const project = { project: projectRefSchema };

export const id = { id: uuid };

export const requestId = {
  request_id: line(limits.requestIdLength)
    .optional()
    .describe('the same caller and request_id get the same answer (HTTP: the Idempotency-Key header)'),
};

export const agent = {
  agent_id: agentIdSchema
    .optional()
    .describe('over HTTP; a socket’s session knows it, and a bound token wins'),
};

export const attempt = { attempt: attemptField.describe('of the claim: the fencing token') };

export const files = { files: plannedPaths.optional().describe('added to files_planned') };

export const taskTypes = { task_types: z.array(taskTypeSchema).min(1).max(limits.taskTypes).optional() };

/** A query parameter comes as text: `true`, `false`, `12`. */
export const flag = z.union([
  z.boolean(),
  z.enum(['true', 'false'], 'is neither true nor false').transform((text) => text === 'true'),
]);

export const whole = (min: number, max: number) => {
  const number = z.int().min(min).max(max);
  return z.union([
    number,
    z
      .string()
      .regex(/^\d{1,16}$/, 'is no whole number')
      .transform(Number)
      .pipe(number),
  ]);
};

export const itemNumber = whole(1, 2 ** 31 - 1);

/** As a query parameter, a list is text with commas. */
export const listOf = <T>(one: z.ZodType<T, string | number>, max = 100) => {
  const list = z.array(one).min(1).max(max);
  return z.union([
    list,
    z
      .string()
      .transform((text): (string | number)[] => text.split(','))
      .pipe(list),
  ]);
};

export const define = <const T extends Record<string, CommandSpec>>(table: T): T => table;

export const itemAnswer = z.object({ item: itemSchema });
