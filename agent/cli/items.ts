import type { Item } from '@switchyard/shared/item';
import { Misuse } from '../command.ts';
import { Refusal } from '@switchyard/shared/errors';
import type { Cli } from './context.ts';
import { numberOrId } from './naming.ts';

/** What every command that names an item takes besides: where to look for a number, and who acts. */
interface Where {
  readonly project?: string;
  readonly agent?: string;
}

/** The item that `31`, `#31` or a uuid names. Throws `Misuse` for what names none, `Refusal` NOT_FOUND. */
export async function findItem(cli: Cli, name: string, { project }: Where): Promise<Item> {
  const named = numberOrId(name);
  if (typeof named === 'string') return (await cli.call('item.get', { id: named })).item;
  const where = await cli.project(project);
  const { items } = await cli.call('item.list', { project: where, number: named, limit: 1 });
  if (items[0]) return items[0];
  throw new Refusal('NOT_FOUND', `There is no #${named} in ${where}. See item.list.`);
}

/** The same for several, and only their ids: what `--depends-on` and `--parent` take. */
export async function idsOf(cli: Cli, names: readonly string[], where: Where): Promise<string[]> {
  return Promise.all(
    names.map(async (name) => {
      const named = numberOrId(name);
      return typeof named === 'string' ? named : (await findItem(cli, name, where)).id;
    }),
  );
}

export interface Held {
  item: Item;
  attempt: number;
  agentId: string;
}

/**
 * The claim that a command is about, so that nobody types attempts: of the item named, or else of the one that
 * `switchyard run` put into the environment, or of the only one that this agent holds. Whether the claim is still
 * this agent's is for the hub to say, which also knows why it is not.
 */
export async function heldClaim(cli: Cli, name: string | undefined, where: Where): Promise<Held> {
  const { SWITCHYARD_ITEM_ID: id, SWITCHYARD_ATTEMPT: attempt } = cli.env;
  const named = name ?? id;
  const agentId = named === undefined ? await cli.actor(where.agent) : cli.agentId(where.agent);
  const item = named === undefined ? await onlyHeld(cli, agentId, where) : await findItem(cli, named, where);
  // An item that was never claimed has attempt 0, which is no attempt.
  const current = Math.max(1, item.attempt);
  return { item, agentId, attempt: item.id === id && Number(attempt) > 0 ? Number(attempt) : current };
}

async function onlyHeld(cli: Cli, agentId: string, where: Where): Promise<Item> {
  const project = await cli.project(where.project);
  const { items } = await cli.call('item.list', { project, status: ['claimed'], agent: agentId, limit: 20 });
  const [only, ...others] = items;
  if (only === undefined)
    throw new Misuse(`${agentId} holds no item of ${project}. Take one: switchyard claim --next`);
  if (others.length === 0) return only;
  throw new Misuse(
    `${agentId} holds several items, so name one: ${items.map(({ number }) => `#${number}`).join(', ')}`,
  );
}
