import { parseArgs } from 'node:util';

export const usage = `Lets real agents finish a backlog on a started hub, kills some on the way, and checks the history.

  npm run drill -- FILE [options]

FILE          a backlog, as npm run import takes it
--agents N    agent processes (8)
--kills N     agents killed with SIGKILL in the middle of a claim, early in the run (3)
--seed N      what fails, what is shared, how long work takes (random, and printed)
--work-ms N   the longest that one item's work takes, in milliseconds (20)
--fail-rate N the part of attempts that fail, to be retried (0.05)
--timeout N   give up after so many seconds (600)
--discard     delete the project afterwards if nothing was wrong

The project is new, and stays to be looked at. The hub is found by SWITCHYARD_URL and SWITCHYARD_TOKEN, or on this
machine. A killed agent's claim comes back after the hub's grace (15 s unless set otherwise), and the drill waits for
it. Exit code: 0 no violation, 1 violations or a hub that is away, 2 the call or the file is not right, 130 Ctrl-C.`;

export interface DrillOptions {
  agents: number;
  kills: number;
  seed: number;
  workMsMax: number;
  failRate: number;
  timeoutSeconds: number;
  discard: boolean;
}

/** What was asked for on the command line; null for `--help`. Throws an Error that says what is wrong. */
export function readOptions(args: string[]): { file: string; options: DrillOptions } | null {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      agents: { type: 'string', default: '8' },
      kills: { type: 'string', default: '3' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      'work-ms': { type: 'string', default: '20' },
      'fail-rate': { type: 'string', default: '0.05' },
      timeout: { type: 'string', default: '600' },
      discard: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Error('Name one file.');
  return {
    file,
    options: {
      agents: numberOf('agents', values.agents, { min: 1, max: 1_000, whole: true }),
      kills: numberOf('kills', values.kills, { min: 0, max: 1_000, whole: true }),
      seed: numberOf('seed', values.seed, { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true }),
      workMsMax: numberOf('work-ms', values['work-ms'], { min: 0, max: 60_000 }),
      failRate: numberOf('fail-rate', values['fail-rate'], { min: 0, max: 1 }),
      timeoutSeconds: numberOf('timeout', values.timeout, { min: 1, max: 86_400 }),
      discard: values.discard,
    },
  };
}

function numberOf(
  name: string,
  text: string,
  { min, max, whole = false }: { min: number; max: number; whole?: boolean },
): number {
  const number = text.trim() === '' ? NaN : Number(text);
  if (number >= min && number <= max && (!whole || Number.isInteger(number))) return number;
  throw new Error(`--${name} takes a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not "${text}".`);
}
