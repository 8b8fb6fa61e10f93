import { z } from 'zod';
import { claimSchema, conflictSchema, instant, itemSchema } from '../item.ts';
import { limits } from '../limits.ts';
import { modifiedPaths, plannedPaths } from '../paths.ts';
import { prose } from '../text.ts';
import { agent, attempt, define, files, id, itemAnswer, project, requestId, taskTypes } from './spec.ts';

const leaseSeconds = {
  lease_seconds: z
    .number()
    .min(0.1)
    .max(limits.claimLeaseSecondsMax)
    .optional()
    .describe(
      `over HTTP, default ${limits.claimLeaseSecondsDefault}; over a socket it can only shorten the session's`,
    ),
};

const claimNext = {
  claim_next: z
    .union([z.boolean(), z.strictObject({ ...taskTypes, ...leaseSeconds })])
    .optional()
    .describe('answer with `next` too: what item.claim_next would have answered'),
};

const claimAnswer = z.object({ claim: claimSchema, conflicts: z.array(conflictSchema) });

const nextAnswer = z.union([
  claimAnswer,
  z.object({ claim: z.null(), reason: z.literal('at_capacity').optional() }),
]);

const finishAnswer = z.object({ item: itemSchema, next: nextAnswer.optional() });

const itemConflicts = z.object({ item: itemSchema, conflicts: z.array(conflictSchema) });

/** What agents do: claim, report, finish. */
export const workCommands = define({
  'item.claim': {
    summary: 'Claim one item',
    role: 'agent',
    method: 'POST',
    path: '/api/items/:id/claim',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...id, ...agent, ...files, ...leaseSeconds, ...requestId }),
    output: claimAnswer,
  },
  'item.claim_next': {
    summary: 'Claim the first item that is ready; `{claim: null}` when none is',
    role: 'agent',
    method: 'POST',
    path: '/api/projects/:project/claim',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...project, ...agent, ...files, ...leaseSeconds, ...taskTypes, ...requestId }),
    output: nextAnswer,
  },
  'item.heartbeat': {
    summary: 'Say that the work goes on, and how far it is',
    role: 'agent',
    method: 'POST',
    path: '/api/items/:id/heartbeat',
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      progress: z.number().min(0).max(100).nullable().optional(),
      note: prose(limits.noteLength).nullable().optional(),
      ...requestId,
    }),
    output: z.object({ item: itemSchema, lease_expires_at: instant }),
  },
  'item.report_files': {
    summary: 'Add files the work has touched; answers with the conflicts as they now stand',
    role: 'agent',
    method: 'POST',
    path: '/api/items/:id/files',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...id, ...agent, ...attempt, files: modifiedPaths, ...requestId }),
    output: itemConflicts,
  },
  'item.check_files': {
    summary: 'The conflicts that claiming these files would meet; changes nothing',
    role: 'agent',
    method: 'POST',
    path: '/api/projects/:project/files/check',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({ ...project, ...agent, files: plannedPaths }),
    output: z.object({ conflicts: z.array(conflictSchema) }),
  },
  'item.complete': {
    summary: 'Finish a claimed item',
    role: 'agent',
    method: 'POST',
    path: '/api/items/:id/complete',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      result_summary: prose(),
      files_modified: modifiedPaths.default([]),
      ...claimNext,
      ...requestId,
    }),
    output: finishAnswer,
  },
  'item.fail': {
    summary: 'Give a claimed item up as failed; retried by itself while attempts remain',
    role: 'agent',
    method: 'POST',
    path: '/api/items/:id/fail',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      failure_reason: prose(),
      retryable: z.boolean().default(true),
      ...claimNext,
      ...requestId,
    }),
    output: finishAnswer,
  },
  'item.release': {
    summary: 'Put a claimed item back, unfinished',
    role: 'agent',
    method: 'POST',
    path: '/api/items/:id/release',
    input: z.strictObject({
      ...id,
      ...agent,
      ...attempt,
      reason: prose(limits.noteLength).optional(),
      ...requestId,
    }),
    output: itemAnswer,
  },
});
