import { parseArgs } from 'node:util';

export const parts = ['cycles', 'pickup', 'history', 'reconnect'] as const;
export type Part = (typeof parts)[number];
export type Form = 1 | 2;

export interface Options {
  only: Part[];
  agents: number[];
  forms: Form[];
  rounds: number;
  /** About how long one run of one round takes. */
  seconds: number;
  pickups: number;
  /** Done items in the table, for `history`. */
  history: number;
  /** Agents that come back, for `reconnect`. */
  reconnect: number;
  /** Planned files of each item. */
  files: number;
  watcher: boolean;
  echo: boolean;
  json: string | null;
}

export const help = `How fast the hub is, beside raw Socket.IO on the same machine. See docs/bench.md.

  npm run bench                          everything, some minutes
  npm run bench -- --quick               everything, short and rough
  npm run bench -- --only cycles --agents 64 --quick

  --only PART[,PART]     cycles   claim + complete, cycles a second, beside raw echo
                         pickup   from item.create sent to the claim acknowledged by an idle agent
                         history  cycles beside a project with many done items
                         reconnect  the hub goes down under many agents: until all are back
  --agents N[,N]         connections for cycles (1,8,64,512)
  --forms 1,2            1: claim_next, then complete; 2: complete with claim_next, one answer a cycle
  --rounds N             rounds of each measurement; medians are taken over them (5)
  --seconds S            about how long each run of a round takes (2)
  --pickups N            how many items to pick up, one at a time (300)
  --history N            done items for history (200000)
  --reconnect N          agents for reconnect (10000)
  --files N              planned files of each item (0)
  --watcher              one connection watches the project meanwhile
  --no-echo              leave raw Socket.IO out
  --quick                3 rounds of half a second, 60 pick-ups, 10,000 done items, 1,000 agents come back
  --json FILE            write every figure there too
  --help
`;

/** Throws a sentence about what is wrong; null: help was asked for. */
export function readOptions(args: string[]): Options | null {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      agents: { type: 'string' },
      forms: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      pickups: { type: 'string' },
      history: { type: 'string' },
      reconnect: { type: 'string' },
      files: { type: 'string' },
      watcher: { type: 'boolean' },
      'no-echo': { type: 'boolean' },
      quick: { type: 'boolean' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return null;
  const quick = values.quick ?? false;
  return {
    only: list(values.only).map(part),
    agents: numbers('--agents', values.agents, [1, 8, 64, 512], { min: 1, max: 2_000 }),
    forms: numbers('--forms', values.forms, [1, 2], { min: 1, max: 2 }) as Form[],
    rounds: number('--rounds', values.rounds, quick ? 3 : 5, { min: 1, max: 100 }),
    seconds: number('--seconds', values.seconds, quick ? 0.5 : 2, { min: 0.1, max: 60, whole: false }),
    pickups: number('--pickups', values.pickups, quick ? 60 : 300, { min: 1, max: 10_000 }),
    history: number('--history', values.history, quick ? 10_000 : 200_000, { min: 1_000, max: 2_000_000 }),
    reconnect: number('--reconnect', values.reconnect, quick ? 1_000 : 10_000, { min: 1, max: 20_000 }),
    files: number('--files', values.files, 0, { min: 0, max: 10 }),
    watcher: values.watcher ?? false,
    echo: !values['no-echo'],
    json: values.json ?? null,
  };
}

const list = (text: string | undefined) => (text === undefined ? [...parts] : text.split(','));

function part(name: string): Part {
  const found = parts.find((one) => one === name);
  if (!found) throw new Error(`--only ${name}: use ${parts.join(', ')}.`);
  return found;
}

interface Bounds {
  min: number;
  max: number;
  whole?: boolean;
}

function number(
  name: string,
  text: string | undefined,
  otherwise: number,
  { min, max, whole = true }: Bounds,
): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text !== '' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
  throw new Error(`${name} ${text}: use a${whole ? ' whole' : ''} number from ${min} to ${max}.`);
}

function numbers(name: string, text: string | undefined, otherwise: number[], bounds: Bounds): number[] {
  return text === undefined ? otherwise : text.split(',').map((one) => number(name, one, 0, bounds));
}
