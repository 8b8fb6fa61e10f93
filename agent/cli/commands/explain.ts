import { buildCommand } from '@stricli/core';
import type { Cli } from '../context.ts';
import { docs, itemArgument, projectFlag, type ProjectFlag } from '../flags.ts';
import { painted, stateOf } from '../item-text.ts';
import { findItem } from '../items.ts';
import { nameOf } from '../naming.ts';
import { fromNow } from '../time.ts';
import { inWordsOfThePrompt } from '../wording.ts';

export const explain = buildCommand({
  async func(this: Cli, flags: ProjectFlag, name: string) {
    const { id } = await findItem(this, name, flags);
    const answer = await this.call('item.explain', { id });
    this.out.result(answer, () => {
      const { item, reasons, holder } = answer;
      const lines = [`${nameOf(item)}: ${painted(this.out, stateOf(item))}`];
      lines.push(...reasons.map(({ message }) => `  ${inWordsOfThePrompt(message)}`));
      if (holder)
        lines.push(
          `  Last sign of life ${fromNow(holder.last_seen_at)}; lease ends ${fromNow(holder.lease_expires_at)}.`,
        );
      return lines.join('\n');
    });
  },
  parameters: { flags: projectFlag, positional: { kind: 'tuple', parameters: [itemArgument] } },
  docs: docs({
    brief: 'Say why an item may be claimed now, or why not, and who holds it',
    usage: 'ITEM [flags]',
    examples: [['31', 'What item 31 waits for, and what would change that']],
  }),
});
