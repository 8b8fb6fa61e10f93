import type { CommandOutput, ParsedInput } from '@switchyard/shared/commands';
import type { Outcome } from '../domain/journal.ts';
import { openDependentsOf } from '../domain/read-items.ts';
import { identityOf, type Call } from './call.ts';

type Bulk = ParsedInput<'items.bulk'>;

const pageSize = 500;

/**
 * Changes what matches, a page at a time, so that agents get a turn in between; each item is changed only if it still
 * may be. An item counts once, whichever page it went with: of a cancel that takes dependents along, a match of a later
 * page may be gone by the time that page comes.
 */
export async function inBulk(
  call: Call,
  projectId: string,
  ids: readonly string[],
  input: Bulk,
): Promise<CommandOutput<'items.bulk'>> {
  const type = { cancel: 'item.cancelled', retry: 'item.retried', set_priority: 'item.updated' }[
    input.action
  ];
  const matching = new Set(ids);
  const changed = new Set<string>();
  for (let from = 0; from < ids.length; from += pageSize) {
    const page = ids.slice(from, from + pageSize);
    const outcomes =
      input.action === 'cancel'
        ? [await cancelPage(call, projectId, page, matching, input)]
        : await Promise.all(page.map((id) => changeOne(call, projectId, id, input)));
    for (const outcome of outcomes) {
      if (outcome.kind !== 'rows') continue;
      for (const row of outcome.rows) if (row.type === type) changed.add(row.item_id!);
    }
  }
  const done = ids.filter((id) => changed.has(id)).length;
  const counts = { done, skipped: ids.length - done };
  const takesAlong = input.action === 'cancel' && input.dependents === 'cancel';
  return takesAlong ? { ...counts, along: changed.size - done } : counts;
}

async function cancelPage(
  call: Call,
  projectId: string,
  ids: string[],
  matching: ReadonlySet<string>,
  { reason, dependents }: Bulk,
): Promise<Outcome> {
  const { lanes, works, db } = call.hub;
  // What later pages cancel is not let go on by an earlier one: retried together, it has to wait again.
  const spared =
    dependents === 'release'
      ? (await db.read((sql) => openDependentsOf(sql, ids))).filter((id) => matching.has(id))
      : [];
  const entry = { actor: identityOf(call).actor, ids, reason: reason ?? null, dependents, spared };
  return lanes.submit(projectId, works.cancel, entry, { alone: true });
}

function changeOne(call: Call, projectId: string, id: string, { action, priority }: Bulk): Promise<Outcome> {
  const { lanes, works } = call.hub;
  const { actor } = identityOf(call);
  if (action === 'retry') return lanes.submit(projectId, works.retry, { actor, id });
  return lanes.submit(projectId, works.setPriority, { actor, id, priority: priority! });
}
