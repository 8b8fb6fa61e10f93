import { buildCommand } from '@stricli/core';
import type { CommandInput } from '@switchyard/shared/commands';
import { isFields, type Fields } from '@switchyard/shared/import/fields';
import type { Item } from '@switchyard/shared/item';
import { limits } from '@switchyard/shared/limits';
import { Misuse } from '../../command.ts';
import { readBacklog } from '../../import/read.ts';
import { bring } from '../bring.ts';
import type { Cli } from '../context.ts';
import { agentFlag, decimal, docs, text, wholeNumber, type AgentFlag } from '../flags.ts';
import { itemTable } from '../item-text.ts';
import { idsOf } from '../items.ts';
import { nameOf } from '../naming.ts';
import { namedPaths } from '../paths.ts';
import { readStdin, textOrStdin } from '../stdin.ts';

interface Flags extends AgentFlag {
  readonly description?: string;
  readonly type?: string;
  readonly priority?: number;
  readonly dependsOn?: readonly string[];
  readonly parent?: string;
  readonly file?: readonly string[];
  readonly hours?: number;
  readonly maxAttempts?: number;
}

export const add = buildCommand({
  async func(this: Cli, flags: Flags, title: string) {
    if (title === '-') return addMany(this, flags);
    const project = await this.project(flags.project);
    const answer = await this.call('item.create', {
      project,
      agent_id: flags.agent,
      title,
      description: flags.description && (await textOrStdin(this, flags.description)),
      task_type: flags.type,
      priority: flags.priority,
      dependencies: flags.dependsOn && (await idsOf(this, flags.dependsOn, flags)),
      parent_item_id: flags.parent === undefined ? undefined : (await idsOf(this, [flags.parent], flags))[0],
      files_planned: flags.file && namedPaths(flags.file),
      estimated_hours: flags.hours,
      max_attempts: flags.maxAttempts,
    });
    this.out.result(answer, () => ('item' in answer ? `Added ${nameOf(answer.item)}` : ''));
  },
  parameters: {
    flags: {
      ...agentFlag,
      description: text('text', 'What is to be done, in as many lines as it takes; - reads it from stdin'),
      type: text('type', 'feature, bug, test, docs, refactor, or a slug of your own'),
      priority: wholeNumber('0-9', '0 comes first (5, when left out)', 0, limits.priorityMax),
      dependsOn: { ...text('item', 'Waits until this item is done; may be repeated'), variadic: true },
      parent: text('item', 'Is a part of this item, which waits for all its parts'),
      file: {
        ...text('path', 'A file, folder/ or glob that the work will touch; may be repeated'),
        variadic: true,
      },
      hours: decimal('hours', 'How long it is expected to take', 0, 1_000_000),
      maxAttempts: wholeNumber(
        'count',
        'How often it may be tried by itself (1, when left out)',
        1,
        limits.attemptsMax,
      ),
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, placeholder: 'TITLE', brief: 'One line; - reads several items from stdin' },
      ],
    },
    aliases: { d: 'description', t: 'type', p: 'priority', f: 'file' },
  },
  docs: docs({
    brief: 'Add an item; or several, from stdin',
    usage: 'TITLE|- [flags]',
    examples: [
      [
        '"Write the schema" --type feature --priority 1 --file sql/',
        'One item, which plans to touch a folder',
      ],
      ['"Write the queries" --depends-on 1', 'One that waits for item 1'],
      ['- <TODO.md', 'All that a Markdown checklist has, or JSON'],
    ],
    details:
      'From stdin come a JSON array of items as /api/docs has them for item.create (where "dependencies" may also name\n' +
      'items as "#12"), or what import takes: a Markdown checklist, Beads JSONL, Task Master tasks.json.',
  }),
});

async function addMany(cli: Cli, flags: Flags): Promise<void> {
  const { json: _, project: __, agent: ___, ...fields } = flags;
  if (Object.values(fields).some((value) => value !== undefined))
    throw new Misuse(
      'What comes from stdin says itself what each item is: leave out all flags but --project and --agent.',
    );
  const content = await readStdin(cli);
  const drafts = draftsIn(content);
  if (drafts === null) return bring(cli, readBacklog(content), { project: await cli.project(flags.project) });
  const project = await cli.project(flags.project);
  const items = await Promise.all(drafts.map((draft) => withIds(cli, draft, { project })));
  // The hub reads it, and says where something does not fit.
  const input = { project, agent_id: flags.agent, items } as CommandInput<'item.create'>;
  const answer = (await cli.call('item.create', input)) as { items: Item[] };
  cli.out.result(answer, () => `Added ${answer.items.length}\n${itemTable(cli.out, answer.items)}`);
}

/** Items as `item.create` takes them; null for any other content. What has an id comes from another tracker. */
function draftsIn(content: string): Fields[] | null {
  if (content.trim() === '')
    throw new Misuse('Nothing came from stdin: pipe in JSON or a Markdown checklist.');
  try {
    const parsed: unknown = JSON.parse(content);
    const json: unknown[] = [isFields(parsed) && 'items' in parsed ? parsed.items : parsed].flat();
    const isDraft = (one: unknown) => isFields(one) && 'title' in one && !('id' in one);
    return json.length > 0 && json.every(isDraft) ? (json as Fields[]) : null;
  } catch {
    return null;
  }
}

/** `#12` among the dependencies, or as the parent, is an item there is; anything else an id or a ref of the array. */
async function withIds(cli: Cli, draft: Fields, where: { project: string }): Promise<Fields> {
  const idOf = async (link: unknown) =>
    typeof link === 'string' && /^#\d+$/.test(link) ? (await idsOf(cli, [link], where))[0] : link;
  const { dependencies, parent_item_id } = draft;
  return {
    ...draft,
    ...(Array.isArray(dependencies) ? { dependencies: await Promise.all(dependencies.map(idOf)) } : {}),
    ...(parent_item_id === undefined ? {} : { parent_item_id: await idOf(parent_item_id) }),
  };
}
