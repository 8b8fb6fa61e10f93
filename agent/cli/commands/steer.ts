import { buildCommand } from '@stricli/core';
import type { Cli } from '../context.ts';
import { docs, itemArgument, projectFlag, text, type ProjectFlag } from '../flags.ts';
import { findItem } from '../items.ts';
import { nameOf } from '../naming.ts';

const positional = { kind: 'tuple', parameters: [itemArgument] } as const;

interface CancelFlags extends ProjectFlag {
  readonly reason?: string;
  readonly dependents?: 'block' | 'release' | 'cancel';
}

export const cancel = buildCommand({
  async func(this: Cli, flags: CancelFlags, name: string) {
    const { id } = await findItem(this, name, flags);
    const { reason, dependents } = flags;
    const answer = await this.call('item.cancel', { id, reason, dependents });
    this.out.result(answer, () => {
      const { item } = answer;
      const told = item.stopping ? ` ${item.assigned_agent_id} has been told to stop.` : '';
      return `Cancelled: ${nameOf(item)}.${told} To bring it back: switchyard retry ${item.number}`;
    });
  },
  parameters: {
    flags: {
      ...projectFlag,
      reason: text('text', 'Why, in one line; its holder is told'),
      dependents: {
        kind: 'enum',
        values: ['block', 'release', 'cancel'],
        optional: true,
        brief:
          'What depends on it: goes on waiting (block, the default), waits no more for it, or is cancelled too',
      },
    },
    positional,
    aliases: { m: 'reason' },
  },
  docs: docs({
    brief: 'Cancel an item, also while somebody works on it',
    usage: 'ITEM [flags]',
    examples: [
      ['31 --reason "no longer wanted" --dependents release', 'Drop item 31; what waited for it may go on'],
    ],
  }),
});

export const retry = buildCommand({
  async func(this: Cli, flags: ProjectFlag, name: string) {
    const { id } = await findItem(this, name, flags);
    const answer = await this.call('item.retry', { id });
    this.out.result(answer, () => `Back in the queue: ${nameOf(answer.item)}`);
  },
  parameters: { flags: projectFlag, positional },
  docs: docs({
    brief: 'Put a failed or cancelled item back into the queue',
    usage: 'ITEM [flags]',
    examples: [['31', 'Let item 31 be tried again, at once']],
  }),
});
