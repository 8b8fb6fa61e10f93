import { z } from 'zod';
import { agentInfoSchema, progressSchema } from '../agent.ts';
import {
  agentIdSchema,
  conflictPairSchema,
  conflictPolicySchema,
  eventSchema,
  eventTypes,
  uuid,
} from '../item.ts';
import { limits } from '../limits.ts';
import { projectNameSchema, projectSchema } from '../project.ts';
import { prose } from '../text.ts';
import { define, itemNumber, listOf, project, requestId, whole } from './spec.ts';

/** Projects, and what is known of one as a whole. */
export const projectCommands = define({
  'project.create': {
    summary: 'Create a project',
    role: 'operator',
    method: 'POST',
    path: '/api/projects',
    messageBytes: limits.bulkMessageBytes,
    success: 201,
    input: z.strictObject({
      name: projectNameSchema,
      description: prose().nullable().optional(),
      conflict_policy: conflictPolicySchema.optional(),
      ...requestId,
    }),
    output: z.object({ project: projectSchema }),
  },
  'project.list': {
    summary: 'List the projects you may see',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects',
    input: z.strictObject({}),
    output: z.object({ projects: z.array(projectSchema) }),
  },
  'project.get': {
    summary: 'One project, by id or name',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project',
    input: z.strictObject(project),
    output: z.object({ project: projectSchema }),
  },
  'project.update': {
    summary: 'Change a project',
    role: 'operator',
    method: 'PATCH',
    path: '/api/projects/:project',
    messageBytes: limits.bulkMessageBytes,
    input: z.strictObject({
      ...project,
      name: projectNameSchema.optional(),
      description: prose().nullable().optional(),
      conflict_policy: conflictPolicySchema.optional(),
      version: z.int32().optional(),
      ...requestId,
    }),
    output: z.object({ project: projectSchema }),
  },
  'project.delete': {
    summary: 'Delete a project with all its items and its log; there is no way back',
    role: 'operator',
    method: 'DELETE',
    path: '/api/projects/:project',
    input: z.strictObject({ ...project, confirm: z.string().describe("the project's name"), ...requestId }),
    output: z.object({ project: projectSchema }),
  },
  'project.progress': {
    summary: 'How far a project is, in all and per parent item',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/progress',
    input: z.strictObject(project),
    output: z.object({ progress: progressSchema }),
  },
  'project.conflicts': {
    summary: 'Pairs of claimed items that share files now',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/conflicts',
    input: z.strictObject(project),
    output: z.object({ conflicts: z.array(conflictPairSchema) }),
  },
  'project.agents': {
    summary: 'Agents of a project: alive or not, and what they hold',
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/agents',
    input: z.strictObject(project),
    output: z.object({ agents: z.array(agentInfoSchema) }),
  },
  'project.events': {
    summary: "A project's log: from a line on, or back from one, and what of it one asks for",
    role: 'viewer',
    method: 'GET',
    path: '/api/projects/:project/events',
    input: z.strictObject({
      ...project,
      after: whole(0, Number.MAX_SAFE_INTEGER)
        .default(0)
        .describe('only lines after this seq; oldest first, unless there is a before'),
      before: whole(1, Number.MAX_SAFE_INTEGER)
        .optional()
        .describe('only lines before this seq, newest first; beyond the end of the log: from its end'),
      type: listOf(z.enum(eventTypes)).optional(),
      agent: agentIdSchema.optional().describe('the agent that did it, or to whose claim it happened'),
      item: z.union([uuid, itemNumber]).optional().describe('id or number'),
      limit: whole(1, limits.eventsMax).default(limits.eventsDefault),
    }),
    output: z.object({
      events: z.array(eventSchema),
      next_after: z
        .int()
        .describe(
          `go on with it as after. With a type or an agent one call looks through ${limits.eventsScanMax} lines at most: there may be ` +
            'more although few came, or none, until it does not rise',
        ),
      next_before: z
        .int()
        .nullable()
        .optional()
        .describe('of lines that come newest first: go on with it as before; null when there are no more'),
    }),
  },
});
