import { v7 as newId } from 'uuid';
import type { CommandOutput, ParsedInput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import { limits } from '@switchyard/shared/limits';
import { codeOf, sqlstate } from '../db/outage.ts';
import { projectAgents } from '../domain/agents.ts';
import { conflictsOfProject } from '../domain/conflicts.ts';
import { readEvents } from '../domain/events.ts';
import { projectProgress } from '../domain/progress.ts';
import { createProject, deleteProject, listProjects, updateProject } from '../domain/projects.ts';
import { identityOf, projectFor, projectIdFor, type Call } from './call.ts';
import { badLink } from './links.ts';

/** Projects, and what is known of one as a whole. */
export const projects = {
  'project.create': async (
    call: Call,
    input: ParsedInput<'project.create'>,
  ): Promise<CommandOutput<'project.create'>> => {
    if (call.caller.token.project_id !== null) throw boundToken();
    const { name, description = null, conflict_policy = 'warn' } = input;
    const project = await call.hub.db.read((sql) =>
      createProject(sql, { id: newId(), name, description, conflict_policy }, identityOf(call)),
    );
    if (!project) throw nameTaken(name);
    call.remembered = true;
    return { project };
  },

  'project.list': async (call: Call): Promise<CommandOutput<'project.list'>> => {
    const only = call.caller.session?.projectId ?? call.caller.token.project_id;
    return { projects: await call.hub.db.read((sql) => listProjects(sql, only)) };
  },

  'project.get': async (
    call: Call,
    input: ParsedInput<'project.get'>,
  ): Promise<CommandOutput<'project.get'>> => {
    return { project: await projectFor(call, input.project) };
  },

  'project.update': async (
    call: Call,
    input: ParsedInput<'project.update'>,
  ): Promise<CommandOutput<'project.update'>> => {
    const { id } = await projectFor(call, input.project);
    const { project: _, version, request_id: __, ...patch } = input;
    if (Object.keys(patch).length === 0) throw badLink('', 'Nothing to change: name at least one field.');
    const { hub } = call;
    try {
      const project = await hub.db.read((sql) =>
        updateProject(sql, id, patch, version ?? null, identityOf(call)),
      );
      if (!project) {
        const { version: now } = await projectFor(call, id);
        throw new Refusal(
          'VERSION_MISMATCH',
          `The project has changed: it is at version ${now} by now. Read it again, then repeat.`,
          {
            version: now,
          },
        );
      }
      call.remembered = true;
      hub.feed.wake(id);
      hub.wrote(id);
      return { project };
    } catch (error) {
      throw codeOf(error) === sqlstate.uniqueViolation ? nameTaken(patch.name ?? '') : error;
    }
  },

  'project.delete': async (
    call: Call,
    input: ParsedInput<'project.delete'>,
  ): Promise<CommandOutput<'project.delete'>> => {
    if (call.caller.token.project_id !== null) throw boundToken();
    const { id, name } = await projectFor(call, input.project);
    if (input.confirm !== name)
      throw badLink(
        'confirm',
        `is not the project's name: to delete it with everything in it, say "${name}"`,
      );
    const project = await call.hub.db.read((sql) => deleteProject(sql, id, identityOf(call)));
    if (!project) throw new Refusal('NOT_FOUND', `The project "${name}" is gone already.`);
    call.remembered = true;
    return { project };
  },

  'project.progress': async (
    call: Call,
    input: ParsedInput<'project.progress'>,
  ): Promise<CommandOutput<'project.progress'>> => {
    const id = await projectIdFor(call, input.project);
    return { progress: await call.hub.db.read((sql) => projectProgress(sql, id)) };
  },

  'project.conflicts': async (
    call: Call,
    input: ParsedInput<'project.conflicts'>,
  ): Promise<CommandOutput<'project.conflicts'>> => {
    const id = await projectIdFor(call, input.project);
    return { conflicts: await call.hub.db.read((sql) => conflictsOfProject(sql, id)) };
  },

  'project.agents': async (
    call: Call,
    input: ParsedInput<'project.agents'>,
  ): Promise<CommandOutput<'project.agents'>> => {
    const id = await projectIdFor(call, input.project);
    return {
      agents: await call.hub.db.read((sql) => projectAgents(sql, id, call.hub.timing.heartbeatSeconds)),
    };
  },

  'project.events': async (
    call: Call,
    input: ParsedInput<'project.events'>,
  ): Promise<CommandOutput<'project.events'>> => {
    const { project: ref, ...query } = input;
    const project = await projectFor(call, ref);
    return call.hub.db.read((sql) => readEvents(sql, project, query, limits.eventsScanMax));
  },
};

const nameTaken = (name: string) =>
  badLink('name', `"${name}" is taken: choose another, or use the project that has it`);

const boundToken = () =>
  new Refusal(
    'FORBIDDEN',
    'This token is for one project, and cannot make or delete projects. Use one for all projects.',
  );
