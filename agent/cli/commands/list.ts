import { buildCommand } from '@stricli/core';
import type { Cli } from '../context.ts';
import { docs, projectFlag, type ProjectFlag } from '../flags.ts';
import { table } from '../table.ts';

export const list = buildCommand({
  async func(this: Cli, flags: ProjectFlag) {
    const page = await this.call('item.list', { project: await this.project(flags.project) });
    this.out.result(page, () =>
      table(this.out, page.items, [
        { title: '#', of: ({ number }) => String(number), align: 'right' },
        { title: 'STATUS', of: ({ status }) => status },
        { title: 'TITLE', of: ({ title }) => title, flexible: true },
      ]),
    );
  },
  parameters: { flags: projectFlag },
  docs: docs({
    brief: 'List items',
    usage: '[flags]',
    examples: [['--project shop', 'Items of one project']],
  }),
});
