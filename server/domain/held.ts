import { text, type SqlText } from '../db/text.ts';
import type { Entry } from './journal.ts';
import { byId } from './wire.ts';

/** Every write by an agent carries this: which claim it speaks of. */
export interface HeldEntry extends Entry {
  id: string;
  attempt: number;
  agent_id: string;
  /** Over a socket; without one (HTTP, MCP) agent and attempt decide. */
  session_id: string | null;
}

export const heldColumns = text`id uuid, attempt int, agent_id text, session_id uuid`;

/**
 * The fence: `i` is claimed under this very attempt, by this very session. Matched by id alone, a zombie would
 * finish the claim that another agent has by now (as it can in Oban, graphile-worker and River).
 */
const held = text`
  i.project_id = project.id AND i.status = 'claimed' AND i.attempt = input.attempt
  AND (i.session_id = input.session_id OR (input.session_id IS NULL AND i.assigned_agent_id = input.agent_id))`;

/**
 * CTE `mine`: the entries whose claim stands, with `tid`, its row, and whether it has files so far. What follows updates
 * `work_items AS i FROM mine AS input CROSS JOIN project WHERE i.ctid = input.tid`; of several entries for one item only
 * one may come in, see {@link firstOfEach}.
 */
export const mine = text`
  mine AS MATERIALIZED (
    SELECT input.*, i.tid, i.files_planned <> '[]' OR i.files_modified <> '[]' AS had_files
    FROM input CROSS JOIN project CROSS JOIN ${byId(text`input.id`)} i WHERE ${held}
  )`;

/** Of several entries for one item the first; the others are in their places without an item, and come to nothing. */
export function firstOfEach<E extends HeldEntry>(
  entries: readonly E[],
): (E | (Omit<E, 'id'> & { id: null }))[] {
  const seen = new Set<string>();
  return entries.map((entry) => {
    if (seen.has(entry.id)) return { ...entry, id: null };
    seen.add(entry.id);
    return entry;
  });
}

/** What every end of a claim clears. */
export const endClaim = text`
  lease_seconds = NULL, lease_expires_at = NULL, updated_at = project.now, version = i.version + 1`;

/** `have` and what `added` has besides, in the order they came. Both are jsonb arrays of paths. */
export const withFiles = (have: SqlText, added: SqlText): SqlText => text`
  CASE WHEN coalesce(${added}, '[]') = '[]' THEN ${have} ELSE ${have} || (
    SELECT coalesce(jsonb_agg(f), '[]') FROM jsonb_array_elements_text(${added}) f WHERE NOT ${have} ? f) END`;

/** Those of `added` that are new to `have`; null when none is, so that events leave them out. */
export const newFiles = (have: SqlText, added: SqlText): SqlText => text`
  (SELECT jsonb_agg(f) FROM jsonb_array_elements_text(coalesce(${added}, '[]')) f WHERE NOT ${have} ? f)`;
