import { buildCommand } from '@stricli/core';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import { Misuse } from '../../command.ts';
import { connect } from '../../client.ts';
import { followProject } from '../../follow.ts';
import type { Cli } from '../context.ts';
import { eventLine } from '../event-text.ts';
import { docs, projectFlag, wholeNumber, type ProjectFlag } from '../flags.ts';
import { interrupted } from '../interrupt.ts';
import { tellOfOutages } from '../outages.ts';

interface Flags extends ProjectFlag {
  readonly tail?: number;
  readonly after?: number;
}

const tailDefault = 10;

export const watch = buildCommand({
  async func(this: Cli, flags: Flags) {
    if (flags.tail !== undefined && flags.after !== undefined)
      throw new Misuse('Say --tail or --after, not both.');
    const stop = interrupted();
    const { project } = await this.call('project.get', { project: await this.project(flags.project) });
    const client = await connect({ ...this.hub, project: null });
    try {
      const known = new Map<string, { number: number; title: string }>();
      await followProject(client, project.id, {
        after: flags.after ?? Math.max(0, project.last_seq - (flags.tail ?? tailDefault)),
        onEvent: (event: ProjectEvent) => this.out.line(event, () => eventLine(this.out, event, known)),
      });
      const refused = await Promise.race([stop, client.ended, tellOfOutages(this.out, client)]);
      if (refused) throw refused;
    } finally {
      await client.close();
    }
  },
  parameters: {
    flags: {
      ...projectFlag,
      tail: wholeNumber(
        'count',
        `How many lines of the log come first (${tailDefault}, when left out)`,
        0,
        1_000_000,
      ),
      after: wholeNumber(
        'seq',
        'Begin after this line of the log; 0 is the whole log',
        0,
        Number.MAX_SAFE_INTEGER,
      ),
    },
  },
  docs: docs({
    brief: 'Follow the log: what happens, as it happens',
    usage: '[flags]',
    examples: [
      ['', 'The last ten lines, and then whatever happens'],
      ['--after 0 --json', 'Every event there ever was and will be, for a program'],
    ],
    details:
      'Nothing is missed while the hub is away. Ends with Ctrl-C and exit code 0. With --json it prints one JSON value\n' +
      'a line, since it has no end to wait for.',
  }),
});
