import { buildCommand } from '@stricli/core';
import type { CommandOutput } from '@switchyard/shared/commands';
import type { Item } from '@switchyard/shared/item';
import type { Cli } from '../context.ts';
import { docs, itemArgument, projectFlag, toggle, type ProjectFlag } from '../flags.ts';
import { filesText, painted, stateOf } from '../item-text.ts';
import { findItem } from '../items.ts';
import { nameOf } from '../naming.ts';
import type { Output } from '../output.ts';
import { table } from '../table.ts';
import { clock, duration, fromNow } from '../time.ts';

interface Flags extends ProjectFlag {
  readonly history?: boolean;
}

/** Related items are named by number and title, which takes a call each. */
const relatedMax = 10;

export const show = buildCommand({
  async func(this: Cli, flags: Flags, name: string) {
    const item = await findItem(this, name, flags);
    const history = flags.history ? await this.call('item.history', { id: item.id }) : undefined;
    if (this.out.json) return this.out.result({ item, ...history }, () => '');
    const parent = item.parent_item_id === null ? [] : await namesOf(this, [item.parent_item_id]);
    const waitsFor = await namesOf(this, item.blocked_by);
    const lines = [
      this.out.style('bold', nameOf(item)),
      ...fieldsOf(this.out, item, { parent, waitsFor }),
      ...(item.description === null ? [] : ['', item.description.trimEnd()]),
      ...(history === undefined ? [] : ['', attemptsOf(this.out, history)]),
    ];
    this.out.result({ item }, () => lines.join('\n'));
  },
  parameters: {
    flags: { ...projectFlag, history: toggle('Also every attempt at it: whose, how long, how it ended') },
    positional: { kind: 'tuple', parameters: [itemArgument] },
  },
  docs: docs({
    brief: 'Show one item',
    usage: 'ITEM [flags]',
    examples: [
      ['31', 'All there is to know about item 31'],
      ['31 --history', 'The same, and every attempt at it'],
    ],
  }),
});

async function namesOf(cli: Cli, ids: readonly string[]): Promise<string[]> {
  const items = await Promise.all(ids.slice(0, relatedMax).map((id) => cli.call('item.get', { id })));
  const more = ids.length > relatedMax ? [`and ${ids.length - relatedMax} more`] : [];
  return [...items.map(({ item }) => `${nameOf(item)} (${stateOf(item)})`), ...more];
}

function fieldsOf(out: Output, item: Item, related: { parent: string[]; waitsFor: string[] }): string[] {
  const hours = item.estimated_hours === null ? '' : `, ${item.estimated_hours} h estimated`;
  const rows: [label: string, text: string][] = [
    ['State', painted(out, stateOf(item))],
    ['Type', `${item.task_type ?? 'none'}, priority ${item.priority}${hours}`],
    [item.status === 'claimed' ? 'Held by' : 'Last held by', holderOf(item)],
    ['Progress', item.status === 'claimed' ? progressOf(item) : ''],
    ['Part of', related.parent.join('')],
    ['Waits for', related.waitsFor.join('\n')],
    ['Retried', item.retry_at === null ? '' : fromNow(item.retry_at)],
    ['Plans', filesText(item.files_planned, 20)],
    ['Touched', filesText(item.files_modified, 20)],
    ['Result', item.result_summary ?? ''],
    ['Failure', item.failure_reason ?? ''],
    ['Created', `${clock(item.created_at)}, changed ${fromNow(item.updated_at)}`],
    ['Id', item.id],
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows
    .filter(([, text]) => text !== '')
    .map(
      ([label, text]) =>
        out.style('dim', label.padEnd(width)) + text.split('\n').join(`\n${' '.repeat(width)}`),
    );
}

function holderOf({ assigned_agent_id, assigned_at, lease_expires_at, attempt, max_attempts }: Item): string {
  if (assigned_agent_id === null) return '';
  const since = assigned_at === null ? '' : ` since ${clock(assigned_at)}`;
  const lease = lease_expires_at === null ? '' : `, lease ends ${fromNow(lease_expires_at)}`;
  const of = max_attempts > 1 ? ` of up to ${max_attempts} that may fail` : '';
  return `${assigned_agent_id}${since}, attempt ${attempt}${of}${lease}`;
}

function progressOf({ progress, progress_note }: Item): string {
  return [progress === null ? '' : `${progress}%`, progress_note ?? ''].filter(Boolean).join(', ');
}

type Attempt = CommandOutput<'item.history'>['attempts'][number];

function attemptsOf(out: Output, { attempts }: { attempts: Attempt[] }): string {
  if (attempts.length === 0) return 'Nobody has tried it yet.';
  const seconds = ({ started_at, ended_at }: Attempt) =>
    ((ended_at === null ? Date.now() : Date.parse(ended_at)) - Date.parse(started_at)) / 1_000;
  return table(out, attempts, [
    { title: 'ATTEMPT', of: ({ attempt }) => String(attempt), align: 'right' },
    { title: 'AGENT', of: ({ agent_id }) => agent_id },
    { title: 'BEGUN', of: ({ started_at }) => clock(started_at) },
    { title: 'FOR', of: (attempt) => duration(seconds(attempt)), align: 'right' },
    { title: 'OUTCOME', of: ({ outcome }) => outcome },
    { title: 'WHY', of: ({ reason }) => reason?.split('\n')[0] ?? '', flexible: true },
  ]);
}
