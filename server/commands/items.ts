import type { CommandOutput, DraftItem, ParsedInput } from '@switchyard/shared/commands';
import { Refusal } from '@switchyard/shared/errors';
import { agentIdOf } from '../caller.ts';
import { unavailable } from '../db/outage.ts';
import { attemptsOf } from '../domain/history.ts';
import { eventsOfItem } from '../domain/events.ts';
import type { LogRow } from '../domain/journal.ts';
import type { NewItem } from '../domain/create.ts';
import { neighbourhood } from '../domain/neighbourhood.ts';
import { patternsOf } from '../domain/patterns.ts';
import { findItem, listItems, matchingIds, type Page } from '../domain/read-items.ts';
import { waitingGraph } from '../domain/waiting-graph.ts';
import { verbatim } from '../json.ts';
import { inBulk } from './bulk.ts';
import {
  identityOf,
  noSuchItem,
  perform,
  projectFor,
  projectIdFor,
  projectIdToChange,
  projectOf,
  type Call,
} from './call.ts';
import { explain } from './explain.ts';
import { badLink, cycleRefusal, findCycle, itemsFrom, refuseRepeats } from './links.ts';
import { standingFor, wrongStatus } from './refusals.ts';
import { maySee } from '../caller.ts';

/** What people do with items, and how everybody looks at them. */
export const items = {
  'item.create': async (
    call: Call,
    input: ParsedInput<'item.create'>,
  ): Promise<CommandOutput<'item.create'>> => {
    const projectId = await projectIdToChange(call, input.project);
    const { drafts, pathOf } = draftsOf(input);
    if (call.caller.token.role !== 'operator') {
      const over = drafts.findIndex((draft) => draft.status && draft.status !== 'todo');
      if (over >= 0)
        throw new Refusal(
          'FORBIDDEN',
          `${pathOf(over)}status: only an operator may create items that are over already.`,
        );
    }
    const agentId = input.agent_id === undefined ? undefined : agentIdOf(call.caller, input.agent_id);
    const entry = { ...identityOf(call, agentId), items: itemsFrom(drafts, pathOf) };
    const { rows, note } = await perform(call, projectId, call.hub.works.create, entry, { alone: true });
    const created = rows
      .filter((row) => row.type === 'item.created')
      .map((row) => verbatim<never>(row.item!));
    if (created.length === 0) throw await createRefusal(call, projectId, entry.items, pathOf, note);
    return 'items' in input ? { items: created } : { item: created[0]! };
  },

  'item.list': async (call: Call, input: ParsedInput<'item.list'>): Promise<CommandOutput<'item.list'>> => {
    const { project, sort, limit, cursor, ...filter } = input;
    const projectId = await projectIdFor(call, project);
    const page: Page = { sort, limit, after: cursor === undefined ? undefined : readCursor(cursor, sort) };
    const {
      items: found,
      next,
      total,
    } = await call.hub.db.read((sql) => listItems(sql, projectId, filter, page));
    const next_cursor = next && Buffer.from(JSON.stringify({ sort, ...next })).toString('base64url');
    return { items: found.map((text) => verbatim(text)), next_cursor, total };
  },

  'item.get': async (call: Call, input: ParsedInput<'item.get'>): Promise<CommandOutput<'item.get'>> => {
    return { item: await itemFor(call, input.id) };
  },

  'item.history': async (
    call: Call,
    input: ParsedInput<'item.history'>,
  ): Promise<CommandOutput<'item.history'>> => {
    await itemFor(call, input.id);
    const events = await call.hub.db.read((sql) => eventsOfItem(sql, input.id));
    return { events, attempts: attemptsOf(events) };
  },

  'item.explain': async (
    call: Call,
    input: ParsedInput<'item.explain'>,
  ): Promise<CommandOutput<'item.explain'>> => {
    const standing = await standingFor(call, input.id);
    return { item: await itemFor(call, input.id), ...(await explain(call, standing)) };
  },

  'item.graph': async (
    call: Call,
    input: ParsedInput<'item.graph'>,
  ): Promise<CommandOutput<'item.graph'>> => {
    await itemFor(call, input.id);
    const found = await call.hub.db.read((sql) => neighbourhood(sql, input.id, input.depth, input.limit));
    return { items: found.items.map((text) => verbatim(text)), total: found.total };
  },

  'item.update': async (
    call: Call,
    input: ParsedInput<'item.update'>,
  ): Promise<CommandOutput<'item.update'>> => {
    const { id, version, request_id: _, ...patch } = input;
    if (Object.values(patch).every((value) => value === undefined))
      throw badLink('', 'Nothing to change: name at least one field.');
    const projectId = await projectOf(call, id);
    if (patch.dependencies) refuseRepeats(patch.dependencies, 'dependencies');
    const patterns = patternsOf(patch.files_planned ?? []);
    const entry = { ...identityOf(call), id, version: version ?? null, patch, patterns };
    const { rows, note } = await perform(call, projectId, call.hub.works.update, entry, { alone: true });
    const row = rows.find((one) => one.item_id === id && one.item !== null);
    if (!row) throw await updateRefusal(call, id, patch, note);
    return { item: verbatim(row.item!) };
  },

  'item.cancel': async (
    call: Call,
    input: ParsedInput<'item.cancel'>,
  ): Promise<CommandOutput<'item.cancel'>> => {
    const { id, reason, dependents } = input;
    const entry = { ...identityOf(call), ids: [id], reason: reason ?? null, dependents, spared: [] };
    const projectId = await projectOf(call, id);
    const { rows } = await perform(call, projectId, call.hub.works.cancel, entry, { alone: true });
    return { item: await changed(call, id, rows, 'item.cancelled', 'item.cancel') };
  },

  'item.retry': async (
    call: Call,
    input: ParsedInput<'item.retry'>,
  ): Promise<CommandOutput<'item.retry'>> => {
    const projectId = await projectOf(call, input.id);
    const { rows } = await perform(call, projectId, call.hub.works.retry, {
      ...identityOf(call),
      id: input.id,
    });
    return { item: await changed(call, input.id, rows, 'item.retried', 'item.retry') };
  },

  'items.bulk': async (
    call: Call,
    input: ParsedInput<'items.bulk'>,
  ): Promise<CommandOutput<'items.bulk'>> => {
    const projectId = await projectIdFor(call, input.project);
    if (input.action === 'set_priority' && input.priority === undefined)
      throw badLink('priority', 'is missing: set_priority needs it');
    const ids = await call.hub.db.read((sql) => matchingIds(sql, projectId, input.filter));
    if (input.expected_count !== undefined && input.expected_count !== ids.length) {
      throw new Refusal(
        'VERSION_MISMATCH',
        `${ids.length} items match by now, not ${input.expected_count}. Look again, then repeat with expected_count ${ids.length}.`,
        { count: ids.length, expected_count: input.expected_count },
      );
    }
    return inBulk(call, projectId, ids, input);
  },
};

function draftsOf(input: ParsedInput<'item.create'>): {
  drafts: DraftItem[];
  pathOf: (place: number) => string;
} {
  if ('items' in input) return { drafts: input.items, pathOf: (place) => `items.${place}.` };
  const { project: _, agent_id: __, request_id: ___, ...draft } = input;
  return { drafts: [draft], pathOf: () => '' };
}

/** Nothing was created: a link led nowhere, or round to itself. */
async function createRefusal(
  call: Call,
  projectId: string,
  made: readonly NewItem[],
  pathOf: (place: number) => string,
  note: string | null,
): Promise<Refusal> {
  if (note === null) {
    await projectFor(call, projectId);
    return unavailable();
  }
  const { missing, cycle } = JSON.parse(note) as { missing: string[] | null; cycle: string[] | null };
  if (missing) {
    for (const [place, item] of made.entries()) {
      const at = item.dependencies.findIndex((id) => missing.includes(id));
      if (at >= 0) return badLink(`${pathOf(place)}dependencies.${at}`, 'is no item of this project');
      if (item.parent_item_id !== null && missing.includes(item.parent_item_id)) {
        return badLink(`${pathOf(place)}parent_item_id`, 'is no item of this project');
      }
    }
  }
  const graph = await call.hub.db.read((sql) =>
    waitingGraph(sql, [...(cycle ?? []), ...made.flatMap((item) => item.dependencies)]),
  );
  for (const item of made) {
    graph.set(item.id, [...(graph.get(item.id) ?? []), ...item.dependencies]);
    if (item.parent_item_id !== null)
      graph.set(item.parent_item_id, [...(graph.get(item.parent_item_id) ?? []), item.id]);
  }
  return cycleRefusal(findCycle(graph) ?? cycle ?? []);
}

async function updateRefusal(
  call: Call,
  id: string,
  patch: { dependencies?: string[]; parent_item_id?: string | null },
  note: string | null,
): Promise<Refusal> {
  if (note === null) return noSuchItem(id);
  const { stale, version, missing } = JSON.parse(note) as {
    stale: boolean;
    version: number;
    missing: string[] | null;
  };
  if (stale) {
    return new Refusal(
      'VERSION_MISMATCH',
      `The item has changed: it is at version ${version} by now. Read it again, then repeat the change.`,
      {
        version,
      },
    );
  }
  if (missing) {
    const at = (patch.dependencies ?? []).findIndex((one) => missing.includes(one));
    return badLink(at >= 0 ? `dependencies.${at}` : 'parent_item_id', 'is no item of this project');
  }
  const links = patch.dependencies ?? [];
  const graph = await call.hub.db.read((sql) =>
    waitingGraph(sql, [id, ...links, ...(patch.parent_item_id ? [patch.parent_item_id] : [])], {
      relinked: patch.dependencies && id,
      moved: patch.parent_item_id === undefined ? undefined : id,
    }),
  );
  graph.set(id, [...(graph.get(id) ?? []), ...links]);
  if (patch.parent_item_id) graph.set(patch.parent_item_id, [...(graph.get(patch.parent_item_id) ?? []), id]);
  return cycleRefusal(findCycle(graph) ?? [id]);
}

async function itemFor(call: Call, id: string): Promise<CommandOutput<'item.get'>['item']> {
  const row = await call.hub.db.read((sql) => findItem(sql, id));
  if (!row || !maySee(call.caller, row.project_id)) throw noSuchItem(id);
  return verbatim(row.item);
}

/** The item after a change, or why there was none. */
async function changed(
  call: Call,
  id: string,
  rows: LogRow[],
  type: string,
  command: string,
): Promise<CommandOutput<'item.get'>['item']> {
  const row = rows.find((one) => one.item_id === id && one.type === type);
  if (row) return verbatim(row.item!);
  throw wrongStatus(await standingFor(call, id), command);
}

// As `listItems` makes them; anything else PostgreSQL might not digest.
const seconds = /^\d{1,12}(\.\d{1,6})?$/;
// eslint-disable-next-line no-control-regex
const string = /^[^\u0000]*$/;
const cursorKeys: Record<string, RegExp> = {
  number: /^\d{1,9}$/,
  priority: /^\d$/,
  updated: seconds,
  completed: seconds,
  title: string,
  status: /^\d$/,
  type: string,
  agent: string,
  progress: /^-?\d{1,3}(\.\d{1,20})?(e-\d{1,3})?$/,
};

function readCursor(cursor: string, sort: string): { key: string; number: number } {
  try {
    const read = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as {
      sort: string;
      key: string;
      number: number;
    };
    const fits = typeof read.key === 'string' && cursorKeys[sort.replace('-', '')]?.test(read.key);
    if (read.sort === sort && fits && cursorKeys.number!.test(String(read.number))) return read;
  } catch {
    // Falls through: not one of ours.
  }
  throw badLink('cursor', 'is none of this list: take next_cursor as it was answered, with the same sort');
}
