import type { CommandName, CommandOutput } from '@switchyard/shared/commands';
import type { Conflict, Item } from '@switchyard/shared/item';
import type { ToolName } from '@switchyard/shared/mcp';
import { briefOf, conflictsText, lineOf, nameOf, textOf, wholeOf, type ToolAnswer } from './results.ts';

type Out<K extends CommandName> = CommandOutput<K>;

/** What a tool says of its command's result: items without empty fields, and the same in words. */
export function answerOf(name: ToolName, result: unknown): ToolAnswer {
  switch (name) {
    case 'ready_items':
      return listed(result as Out<'item.list'>);
    case 'claim_item':
      return claimed(result as Out<'item.claim_next'>);
    case 'get_item':
      return explained(result as Out<'item.explain'>);
    case 'report_files': {
      const { item, conflicts } = result as Out<'item.report_files'>;
      return { structured: { item: briefOf(item), conflicts }, text: filesText(item, conflicts) };
    }
    case 'check_files': {
      const { conflicts } = result as Out<'item.check_files'>;
      return {
        structured: { conflicts },
        text: conflictsText(conflicts, 'Nobody else works on these files.'),
      };
    }
    case 'update_progress': {
      const { item, lease_expires_at } = result as Out<'item.heartbeat'>;
      return { structured: { item: briefOf(item), lease_expires_at }, text: `${nameOf(item)}: noted.` };
    }
    case 'complete_item':
    case 'fail_item':
      return finished(result as Out<'item.complete'>);
    case 'release_item': {
      const { item } = result as Out<'item.release'>;
      return { structured: { item: briefOf(item) }, text: `${nameOf(item)} is back in the queue.` };
    }
    case 'create_items': {
      const { items } = result as { items: Item[] };
      const text = ['Created:', ...items.map((item) => `- ${lineOf(item)}`)].join('\n');
      return { structured: { items: items.map(briefOf) }, text };
    }
    case 'wait_for_item':
      return waited(result as Waited);
  }
}

/** What `wait_for_item` came to. */
export interface Waited {
  item: Item | null;
  waited_seconds: number;
  /** The hub is going down. */
  stopped: boolean;
}

function waited({ item, waited_seconds, stopped }: Waited): ToolAnswer {
  if (item)
    return {
      structured: { item: briefOf(item) },
      text: `Ready: ${lineOf(item)}\nClaim it: claim_item ${item.number}.`,
    };
  const text = stopped
    ? 'The hub is going down. Call wait_for_item again in a moment.'
    : `Nothing became ready in ${waited_seconds} s. Call wait_for_item again, or stop if you were told to.`;
  return { structured: { item: null, waited_seconds }, text };
}

function listed({ items, total, next_cursor }: Out<'item.list'>): ToolAnswer {
  const more = total > items.length ? [`and ${total - items.length} more`] : [];
  const lines = [...items.map(lineOf), ...more].map((line) => `- ${line}`);
  const text =
    total === 0 ? 'Nothing is ready. wait_for_item waits for the next.' : ['Ready:', ...lines].join('\n');
  return { structured: { items: items.map(briefOf), total, ...(next_cursor && { next_cursor }) }, text };
}

function claimed(result: Out<'item.claim_next'>): ToolAnswer {
  if (!result.claim)
    return { structured: { claim: null }, text: 'Nothing is ready. wait_for_item waits for the next.' };
  const { claim, conflicts } = result;
  const { item, attempt, lease_expires_at } = claim;
  return {
    structured: { claim: { item: wholeOf(item), attempt, lease_expires_at }, conflicts },
    text: [`You hold ${textOf(item)}`, ...(conflicts.length > 0 ? [conflictsText(conflicts, '')] : [])].join(
      '\n',
    ),
  };
}

function explained({ item, ready, reasons, holder }: Out<'item.explain'>): ToolAnswer {
  const why = reasons.map(({ message }) => `- ${message}`);
  return {
    structured: { item: wholeOf(item), ready, reasons, ...(holder && { holder }) },
    text: [textOf(item), ...(why.length > 0 ? ['', ...why] : [])].join('\n'),
  };
}

function filesText(item: Item, conflicts: readonly Conflict[]): string {
  return conflictsText(conflicts, `${nameOf(item)}: noted. Nobody else works on its files.`);
}

function finished({ item, next }: Out<'item.complete'>): ToolAnswer {
  const over = `${nameOf(item)} is ${item.status}.`;
  if (!next) return { structured: { item: briefOf(item) }, text: over };
  const following = claimed(next);
  return {
    structured: { item: briefOf(item), next: following.structured },
    text: `${over}\n${following.text}`,
  };
}
