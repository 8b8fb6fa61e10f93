import { buildCommand, buildRouteMap } from '@stricli/core';
import type { Cli } from '../context.ts';
import { docs, jsonFlag, text, type JsonFlag } from '../flags.ts';
import { table } from '../table.ts';

const list = buildCommand({
  async func(this: Cli, _: JsonFlag) {
    const { projects } = await this.call('project.list', {});
    this.out.result({ projects }, () =>
      projects.length === 0
        ? 'There is no project yet. Make one: switchyard projects create NAME'
        : table(this.out, projects, [
            { title: 'NAME', of: ({ name }) => name },
            { title: 'SHARED FILES', of: ({ conflict_policy }) => conflict_policy },
            {
              title: 'DESCRIPTION',
              of: ({ description }) => description?.split('\n')[0] ?? '',
              flexible: true,
            },
          ]),
    );
  },
  parameters: { flags: jsonFlag },
  docs: docs({
    brief: 'List the projects you may see',
    usage: '[--json]',
    examples: [['', 'Every project with its policy for shared files']],
  }),
});

interface CreateFlags extends JsonFlag {
  readonly description?: string;
  readonly policy?: 'warn' | 'deny';
}

const create = buildCommand({
  async func(this: Cli, { description, policy }: CreateFlags, name: string) {
    const { project } = await this.call('project.create', { name, description, conflict_policy: policy });
    this.out.result(
      { project },
      () => `Created ${project.name}. Add work to it: switchyard add TITLE --project ${project.name}`,
    );
  },
  parameters: {
    flags: {
      ...jsonFlag,
      description: text('text', 'What the project is about'),
      policy: {
        kind: 'enum',
        values: ['warn', 'deny'],
        optional: true,
        brief: 'When claimed items share files: warn both holders (the default), or deny the second claim',
      },
    },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, placeholder: 'NAME', brief: 'a-z, 0-9, . - and _' }],
    },
  },
  docs: docs({
    brief: 'Create a project',
    usage: 'NAME [--description text] [--policy warn|deny]',
    examples: [['shop --policy deny', 'A project in which no two claimed items may share files']],
  }),
});

export const projects = buildRouteMap({
  routes: { list, create },
  defaultCommand: 'list',
  docs: { brief: 'List projects, or create one' },
});
