import type { HubAddress } from '../hub-address.ts';
import type { ItemText } from './item-text.ts';

/** Linux takes 128 KiB for one variable, its name included; texts of an item may be longer. */
const valueBytesMax = 100_000;
/** Set where git runs hooks: they would lead every git below to another repository. */
const ofGit = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_INDEX_FILE',
  'GIT_PREFIX',
  'GIT_COMMON_DIR',
  'GIT_OBJECT_DIRECTORY',
];

export interface ItemEnvironment {
  text: ItemText;
  hub: HubAddress;
  /** The item's own git worktree; null without --worktree. */
  worktree: string | null;
  /** Told apart from every other run by this. */
  runId: string;
}

/**
 * The environment of a command: this process's own, the item, and what `switchyard` needs to speak for its claim.
 * A text that is too long for the system is cut, and SWITCHYARD_ITEM_CUT names it; stdin has all of it.
 */
export function itemEnvironment(
  own: NodeJS.ProcessEnv,
  { text, hub, worktree, runId }: ItemEnvironment,
): NodeJS.ProcessEnv {
  const item: Record<string, string> = {
    ID: text.id,
    NUMBER: text.number,
    TITLE: text.title,
    DESCRIPTION: text.description,
    TASK_TYPE: text.task_type,
    PRIORITY: text.priority,
    ATTEMPT: text.attempt,
    FILES: text.files.join('\n'),
  };
  const cut = Object.keys(item).filter((name) => Buffer.byteLength(item[name]!) > valueBytesMax);
  for (const name of cut) item[name] = cutToBytes(item[name]!, name === 'FILES');
  return {
    ...repositoryNeutral(own),
    ...Object.fromEntries(Object.entries(item).map(([name, value]) => [`SWITCHYARD_ITEM_${name}`, value])),
    SWITCHYARD_ITEM_CUT: cut.join(' '),
    // For `switchyard files report` and the like, which take these for their own item.
    SWITCHYARD_ATTEMPT: text.attempt,
    SWITCHYARD_PROJECT: text.project,
    SWITCHYARD_AGENT: text.agent,
    SWITCHYARD_URL: hub.url,
    SWITCHYARD_TOKEN: hub.token,
    SWITCHYARD_BRANCH: text.branch,
    SWITCHYARD_WORKTREE: worktree ?? '',
    SWITCHYARD_RUN_ID: runId,
  };
}

/** An environment in which git finds the repository by the folder it runs in. */
export function repositoryNeutral(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ofGit.includes(name)));
}

/** The longest beginning that fits, without half a character or, for a list, half a line. */
function cutToBytes(text: string, isList: boolean): string {
  const bytes = Buffer.from(text).subarray(0, valueBytesMax);
  const whole = new TextDecoder().decode(bytes, { stream: true });
  return isList ? whole.slice(0, whole.lastIndexOf('\n')) : whole;
}
