import { buildCommand } from '@stricli/core';
import { itemSorts, type CommandInput } from '@switchyard/shared/commands';
import { statuses, type Item, type Status } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import type { Cli } from '../context.ts';
import { docs, projectFlag, text, toggle, wholeNumber, type ProjectFlag } from '../flags.ts';
import { itemTable } from '../item-text.ts';
import { idsOf } from '../items.ts';

interface Flags extends ProjectFlag {
  readonly status?: readonly Status[];
  readonly ready?: boolean;
  readonly type?: readonly string[];
  readonly agent?: string;
  readonly parent?: string;
  readonly search?: string;
  readonly sort?: Sort;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: boolean;
}

type Sort = Exclude<(typeof itemSorts)[number], `-${string}`>;
const sorts = itemSorts.filter((sort): sort is Sort => !sort.startsWith('-'));

const limitDefault = 50;

export const list = buildCommand({
  async func(this: Cli, flags: Flags) {
    const project = await this.project(flags.project);
    const page = await pageOf(
      this,
      {
        project,
        status: flags.status as Status[] | undefined,
        ready: flags.ready,
        task_type: flags.type as string[] | undefined,
        agent: flags.agent,
        parent:
          flags.parent === undefined || flags.parent === 'none'
            ? flags.parent
            : (await idsOf(this, [flags.parent], flags))[0],
        q: flags.search,
        sort: sortOf(flags),
        limit: flags.all ? limits.listMax : (flags.limit ?? limitDefault),
        cursor: flags.cursor,
      },
      flags.all === true,
    );
    this.out.result(page, () => {
      if (page.total === 0) return 'No item of that kind.';
      const left =
        page.next_cursor === null
          ? ''
          : `\n${page.items.length} of ${page.total}; for the rest: --all, or --cursor ${page.next_cursor}`;
      return itemTable(this.out, page.items) + left;
    });
  },
  parameters: {
    flags: {
      ...projectFlag,
      status: { kind: 'enum', values: statuses, variadic: ',', optional: true, brief: 'Only these' },
      ready: toggle('Only what may be claimed now'),
      type: { ...text('type', 'Only these types, as bug,docs'), variadic: ',' },
      agent: text('name', 'Only what this agent holds, or did last'),
      parent: text('item|none', 'Only children of this item; none: only items without a parent'),
      search: text('words', 'Only with these words in title or description'),
      sort: { kind: 'enum', values: sorts, optional: true, brief: 'Order (number, when left out)' },
      reverse: toggle('The other way round'),
      limit: wholeNumber(
        'count',
        `How many at most, up to ${limits.listMax} (${limitDefault}, when left out)`,
        1,
        limits.listMax,
      ),
      cursor: text('cursor', 'Go on where the page ended that named this cursor'),
      all: toggle('All of them, however many'),
    },
  },
  docs: docs({
    brief: 'List items',
    usage: '[flags]',
    examples: [
      ['--status claimed,failed', 'What is being worked on, and what went wrong'],
      ['--type bug --search parser --sort priority', 'Bugs that mention the parser, the most urgent first'],
    ],
    details: 'STATE is the status, and of items in the queue (todo) whether they are ready or blocked.',
  }),
});

export const ready = buildCommand({
  async func(this: Cli, flags: Pick<Flags, 'json' | 'project' | 'type' | 'limit'>) {
    const project = await this.project(flags.project);
    const page = await pageOf(this, {
      project,
      ready: true,
      task_type: flags.type as string[] | undefined,
      sort: 'priority',
      limit: flags.limit ?? limitDefault,
    });
    this.out.result(page, () => {
      if (page.total === 0) return `Nothing of ${project} is ready. What it waits for: switchyard status`;
      const left =
        page.next_cursor === null ? '' : `\n${page.items.length} of ${page.total}; --limit shows more`;
      return `${itemTable(this.out, page.items)}${left}\nTake the first: switchyard claim --next`;
    });
  },
  parameters: {
    flags: {
      ...projectFlag,
      type: { ...text('type', 'Only these types, as bug,docs'), variadic: ',' },
      limit: wholeNumber(
        'count',
        `How many at most, up to ${limits.listMax} (${limitDefault}, when left out)`,
        1,
        limits.listMax,
      ),
    },
  },
  docs: docs({
    brief: 'List what may be claimed now, first things first',
    usage: '[flags]',
    examples: [['--type docs', 'Documentation that nobody has taken and that waits for nothing']],
  }),
});

/** The hub writes the other way round with a minus before it, which here would look like a flag. */
function sortOf({ sort = 'number', reverse }: Flags): (typeof itemSorts)[number] {
  return reverse ? `-${sort}` : sort;
}

/** One page, or from there on all of them as if they were one. */
async function pageOf(cli: Cli, input: CommandInput<'item.list'>, all = false) {
  const first = await cli.call('item.list', input);
  const items: Item[] = [...first.items];
  let cursor = first.next_cursor;
  while (all && cursor !== null) {
    const page = await cli.call('item.list', { ...input, cursor });
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return { items, next_cursor: cursor, total: first.total };
}
