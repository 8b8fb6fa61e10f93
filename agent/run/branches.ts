import type { Item } from '@switchyard/shared/item';
import { entriesOf, git, tryGit } from './git.ts';

const prefix = 'switchyard/';
const slugLengthMax = 40;

/** The branch of an item, known by the item's id, which its settings hold: titles change, and numbers repeat over projects. */
export interface ItemBranch {
  name: string;
  /** The commit it started from. */
  base: string;
  isNew: boolean;
}

/**
 * The branch on which an item's work goes: the one it has from an earlier attempt, or a name that is free,
 * `switchyard/12-slug-of-title`. Makes nothing; `base` is where a new one is to start.
 */
export async function branchOf(root: string, item: Item, base: string): Promise<ItemBranch> {
  const known = await branchesByItem(root);
  const own = known.get(item.id);
  if (own !== undefined && (await exists(root, own)))
    return { name: own, base: await baseOf(root, own, base), isNew: false };
  for (let n = 1; ; n += 1) {
    const name = `${prefix}${item.number}${dashed(slugOf(item.title))}${n > 1 ? `-${n}` : ''}`;
    if (!(await exists(root, name))) return { name, base, isNew: true };
  }
}

/** Makes a branch, and notes whose it is, so that the next attempt finds it. The settings go when it is deleted. */
export async function makeBranch(root: string, { name, base }: ItemBranch, item: Item): Promise<void> {
  await git(root, 'branch', '--no-track', name, base);
  await git(root, 'config', `branch.${name}.switchyardItem`, item.id);
  await git(root, 'config', `branch.${name}.switchyardBase`, base);
}

/** Branches that belong to items: item id → branch. */
export async function branchesByItem(root: string): Promise<Map<string, string>> {
  const found = await tryGit(root, 'config', '-z', '--get-regexp', String.raw`^branch\..*\.switchyarditem$`);
  const entries = entriesOf(found ?? '').map((entry): [string, string] => {
    const [key = '', id = ''] = entry.split('\n');
    return [id, key.slice('branch.'.length, -'.switchyarditem'.length)];
  });
  return new Map(entries);
}

async function exists(root: string, branch: string): Promise<boolean> {
  return (await tryGit(root, 'rev-parse', '--verify', '--quiet', `refs/heads/${branch}`)) !== null;
}

async function baseOf(root: string, branch: string, otherwise: string): Promise<string> {
  const noted = await tryGit(root, 'config', '--get', `branch.${branch}.switchyardBase`);
  const base = noted?.trim() || (await tryGit(root, 'merge-base', otherwise, branch))?.trim();
  return base || otherwise;
}

/** Letters and digits of a title, for a name that every file system and every shell takes as it is. */
export function slugOf(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '') // accents
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, slugLengthMax)
    .replace(/^-+|-+$/g, '');
}

const dashed = (slug: string) => (slug === '' ? '' : `-${slug}`);
