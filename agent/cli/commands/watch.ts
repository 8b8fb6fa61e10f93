import { buildCommand } from '@stricli/core';
import { eventTypes, type EventType } from '@switchyard/shared/item';
import type { Project } from '@switchyard/shared/project';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import { Misuse } from '../../command.ts';
import { connect } from '../../client.ts';
import { followProject } from '../../follow.ts';
import { followFiltered, lastEvents, type LogFilter } from '../../follow-filtered.ts';
import type { Cli } from '../context.ts';
import { LogLines } from '../event-text.ts';
import { docs, projectFlag, text, wholeNumber, type ProjectFlag } from '../flags.ts';
import { interrupted } from '../interrupt.ts';
import { findItem } from '../items.ts';
import { tellOfOutages } from '../outages.ts';

interface Flags extends ProjectFlag {
  readonly tail?: number;
  readonly after?: number;
  readonly type?: readonly EventType[];
  readonly item?: string;
  readonly by?: string;
}

const tailDefault = 10;

export const watch = buildCommand({
  async func(this: Cli, flags: Flags) {
    if (flags.tail !== undefined && flags.after !== undefined)
      throw new Misuse('Say --tail or --after, not both.');
    const stop = interrupted();
    const { project } = await this.call('project.get', { project: await this.project(flags.project) });
    const filter = await filterOf(this, project, flags);
    const client = await connect({ ...this.hub, project: null });
    const lines = new LogLines(this.out, this.call);
    const onEvent = (event: ProjectEvent) => lines.write(event);
    const { tail = tailDefault } = flags;
    const end = project.last_seq;
    try {
      if (filter === null) {
        await followProject(client, project.id, { after: flags.after ?? Math.max(0, end - tail), onEvent });
      } else {
        if (flags.after === undefined) {
          const last = await lastEvents(this.call, project.id, { end, count: tail, filter });
          last.forEach(onEvent);
        }
        await followFiltered(client, project.id, { after: flags.after ?? end, end, filter, onEvent });
      }
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
        `How many lines of the log, of those asked for, come first (${tailDefault}, when left out)`,
        0,
        1_000_000,
      ),
      after: wholeNumber(
        'seq',
        'Begin after this line of the log; 0 is the whole log',
        0,
        Number.MAX_SAFE_INTEGER,
      ),
      type: {
        ...text('type', 'Only what is of these types, as item.failed,item.requeued'),
        parse: eventTypeOf,
        variadic: ',',
      },
      item: text('item', 'Only what is about this item'),
      by: text('agent', 'Only what this agent did, and what happened to its claims'),
    },
  },
  docs: docs({
    brief: 'Follow the log: what happens, as it happens',
    usage: '[flags]',
    examples: [
      ['', 'The last ten lines, and then whatever happens'],
      [
        '--type item.failed,item.requeued --tail 20',
        'What went wrong: the last twenty times, and from now on',
      ],
      ['--after 0 --json', 'Every event there ever was and will be, for a program'],
    ],
    details:
      'Nothing is missed while the hub is away. Ends with Ctrl-C and exit code 0. With --json it prints one JSON value\n' +
      'a line, since it has no end to wait for.',
  }),
});

/** What `project.events` is to be asked for; null for all there is. */
async function filterOf(cli: Cli, project: Project, flags: Flags): Promise<LogFilter | null> {
  const { type, item, by } = flags;
  if (type === undefined && item === undefined && by === undefined) return null;
  const about = item === undefined ? undefined : await findItem(cli, item, { project: project.name });
  if (about && about.project_id !== project.id)
    throw new Misuse(`"${item}" is an item of another project: say --project.`);
  return { type: type && [...type], item: about?.id, agent: by };
}

function eventTypeOf(input: string): EventType {
  const type = eventTypes.find((one) => one === input);
  if (type === undefined) throw new Error(`not one of ${eventTypes.join(', ')}`);
  return type;
}
