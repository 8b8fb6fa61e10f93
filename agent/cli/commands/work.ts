import { buildCommand } from '@stricli/core';
import type { CommandOutput } from '@switchyard/shared/commands';
import type { Cli } from '../context.ts';
import { agentFlag, decimal, docs, heldArgument, text, toggle, type AgentFlag } from '../flags.ts';
import { heldClaim, type Held } from '../items.ts';
import { nameOf } from '../naming.ts';
import { namedPaths } from '../paths.ts';
import { textOrStdin } from '../stdin.ts';
import { clock, fromNow } from '../time.ts';
import { claimText } from './claim.ts';

const positional = { kind: 'tuple', parameters: [heldArgument] } as const;

/** What the hub asks of everybody who writes about a claim. */
export const fence = ({ item, attempt, agentId }: Held) => ({ id: item.id, attempt, agent_id: agentId });

interface HeartbeatFlags extends AgentFlag {
  readonly progress?: number;
  readonly note?: string;
}

export const heartbeat = buildCommand({
  async func(this: Cli, flags: HeartbeatFlags, name?: string) {
    const held = await heldClaim(this, name, flags);
    const { progress, note } = flags;
    const answer = await this.call('item.heartbeat', { ...fence(held), progress, note });
    this.out.result(answer, () => {
      const { item } = answer;
      const far = item.progress === null ? '' : `, ${item.progress}%`;
      return `${nameOf(item)}${far}: yours until ${clock(answer.lease_expires_at)} (${fromNow(answer.lease_expires_at)})`;
    });
  },
  parameters: {
    flags: {
      ...agentFlag,
      progress: decimal('percent', 'How far it is, 0 to 100', 0, 100),
      note: text('text', 'What is being done, in one line'),
    },
    positional,
  },
  docs: docs({
    brief: 'Say that the work goes on, and how far it is',
    usage: '[ITEM] [flags]',
    examples: [
      ['31 --progress 50 --note "tables done"', 'Half of item 31 is done'],
      ['', 'Keep the one item that you hold'],
    ],
  }),
});

interface CompleteFlags extends AgentFlag {
  readonly summary: string;
  readonly file?: readonly string[];
  readonly next?: boolean;
}

export const complete = buildCommand({
  async func(this: Cli, flags: CompleteFlags, name?: string) {
    const result_summary = await textOrStdin(this, flags.summary);
    const held = await heldClaim(this, name, flags);
    const files_modified = namedPaths(flags.file);
    const end = { ...fence(held), result_summary, files_modified, claim_next: flags.next };
    ended(this, 'Done', await this.call('item.complete', end));
  },
  parameters: {
    flags: {
      ...agentFlag,
      summary: {
        kind: 'parsed',
        parse: String,
        placeholder: 'text',
        brief: 'What was done; - reads it from stdin',
      },
      file: {
        ...text('path', 'A file that was touched, if not reported before; may be repeated'),
        variadic: true,
      },
      next: toggle('Claim the next item that is ready in the same step'),
    },
    positional,
    aliases: { m: 'summary' },
  },
  docs: docs({
    brief: 'Finish an item that you hold',
    usage: '[ITEM] --summary text [flags]',
    examples: [
      ['31 --summary "Three tables" --file sql/001.sql', 'Item 31 is done'],
      ['--summary "Three tables" --next', 'Finish the one item that you hold, and take the next'],
    ],
  }),
});

interface FailFlags extends AgentFlag {
  readonly reason: string;
  readonly final?: boolean;
  readonly next?: boolean;
}

export const fail = buildCommand({
  async func(this: Cli, flags: FailFlags, name?: string) {
    const failure_reason = await textOrStdin(this, flags.reason);
    const held = await heldClaim(this, name, flags);
    const end = { ...fence(held), failure_reason, retryable: !flags.final, claim_next: flags.next };
    ended(this, 'Failed', await this.call('item.fail', end));
  },
  parameters: {
    flags: {
      ...agentFlag,
      reason: {
        kind: 'parsed',
        parse: String,
        placeholder: 'text',
        brief: 'What went wrong; - reads it from stdin',
      },
      final: toggle('Trying again would not help: do not retry by itself'),
      next: toggle('Claim the next item that is ready in the same step'),
    },
    positional,
    aliases: { m: 'reason' },
  },
  docs: docs({
    brief: 'Give an item that you hold up as failed',
    usage: '[ITEM] --reason text [flags]',
    examples: [['31 --reason "The tests need a network" --final', 'Item 31 waits for a person']],
    details: 'While attempts remain (--max-attempts of add) it is tried again by itself, after a pause.',
  }),
});

interface ReleaseFlags extends AgentFlag {
  readonly reason?: string;
}

export const release = buildCommand({
  async func(this: Cli, flags: ReleaseFlags, name?: string) {
    const held = await heldClaim(this, name, flags);
    const { reason } = flags;
    ended(this, 'Put back', await this.call('item.release', { ...fence(held), reason }));
  },
  parameters: {
    flags: { ...agentFlag, reason: text('text', 'Why, in one line') },
    positional,
    aliases: { m: 'reason' },
  },
  docs: docs({
    brief: 'Put an item that you hold back into the queue, unfinished',
    usage: '[ITEM] [flags]',
    examples: [['31 --reason "needs a Mac"', 'Somebody else may take item 31']],
  }),
});

/** An item that is over, and what was claimed with it. */
function ended(cli: Cli, how: string, answer: CommandOutput<'item.complete'>): void {
  const { item, next } = answer;
  const retried = item.retry_at === null ? '' : `, tried again ${fromNow(item.retry_at)}`;
  cli.out.result(answer, () =>
    [`${how}: ${nameOf(item)}${retried}`, ...(next === undefined ? [] : [claimText(cli, next)])].join('\n'),
  );
}
