import { buildCommand } from '@stricli/core';
import type { CommandOutput } from '@switchyard/shared/commands';
import { limits } from '@switchyard/shared/limits';
import { Misuse } from '../../command.ts';
import type { Cli } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { agentFlag, decimal, docs, heldArgument, text, toggle, type AgentFlag } from '../flags.ts';
import { conflictLines, filesText } from '../item-text.ts';
import { findItem } from '../items.ts';
import { nameOf } from '../naming.ts';
import { namedPaths } from '../paths.ts';
import { clock } from '../time.ts';

interface Flags extends AgentFlag {
  readonly next?: boolean;
  readonly type?: readonly string[];
  readonly file?: readonly string[];
  readonly lease?: number;
}

export const claim = buildCommand({
  async func(this: Cli, flags: Flags, name?: string) {
    if ((name === undefined) === !flags.next)
      throw new Misuse('Name an item, or say --next for the first that is ready.');
    if (name !== undefined && flags.type)
      throw new Misuse('--type says what --next may take; an item that is named is of the type it is.');
    const common = {
      agent_id: this.agentId(flags.agent),
      files: flags.file && namedPaths(flags.file),
      lease_seconds: flags.lease,
    };
    const answer =
      name === undefined
        ? await this.call('item.claim_next', {
            project: await this.project(flags.project),
            task_types: flags.type as string[] | undefined,
            ...common,
          })
        : await this.call('item.claim', { id: (await findItem(this, name, flags)).id, ...common });
    if (answer.claim === null) this.process.exitCode = exitCodes.nothing;
    this.out.result(answer, () => claimText(this, answer));
  },
  parameters: {
    flags: {
      ...agentFlag,
      next: toggle('The first that is ready, by priority'),
      type: { ...text('type', 'With --next: only these types, as bug,docs'), variadic: ',' },
      file: {
        ...text('path', 'A file, folder/ or glob that the work will touch; may be repeated'),
        variadic: true,
      },
      lease: decimal(
        'seconds',
        `How long it stays yours without a sign of life (${limits.claimLeaseSecondsDefault}, when left out)`,
        0.1,
        limits.claimLeaseSecondsMax,
      ),
    },
    positional: {
      kind: 'tuple',
      parameters: [{ ...heldArgument, brief: "Its number, as 31 or '#31', or its uuid; or say --next" }],
    },
  },
  docs: docs({
    brief: 'Take an item, so that nobody else works on it',
    usage: 'ITEM|--next [flags]',
    examples: [
      ['--next', 'Take the first item that is ready'],
      ['31 --file src/db/ --lease 3600', 'Take item 31 for an hour, and say what it will touch'],
    ],
    details:
      'The claim is yours until you complete, fail or release it, or until its lease ends without a sign of life: any\n' +
      'command about the item is one. With nothing ready, --next ends with exit code 5.',
  }),
});

/** A claim for a person: what it is, who else touches its files, and how to go on. */
export function claimText(cli: Cli, answer: CommandOutput<'item.claim_next'>): string {
  if (answer.claim === null) return 'Nothing is ready to be claimed.';
  const { item, attempt, lease_expires_at } = answer.claim;
  const plans = item.files_planned.length > 0 ? [`  Plans to touch ${filesText(item.files_planned)}`] : [];
  return [
    `Claimed ${cli.out.style('bold', nameOf(item))}`,
    ...(item.description === null ? [] : [indented(item.description.trimEnd())]),
    ...plans,
    ...('conflicts' in answer ? conflictLines(cli.out, answer.conflicts) : []),
    `Attempt ${attempt}, yours until ${clock(lease_expires_at)}; every command about it renews that.`,
    `Then: switchyard heartbeat ${item.number} · complete ${item.number} --summary TEXT · fail ${item.number} --reason TEXT · release ${item.number}`,
  ].join('\n');
}

const indented = (text: string) => text.replace(/^(?=.)/gm, '  ');
