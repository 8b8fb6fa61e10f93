import type { Client } from './client-names.ts';
import { isWell, type Mode, type Outcome } from './run.ts';
import type { SetupResult } from './setup.ts';

/** One line: a sign, the file, and what became of it. */
export interface ReportLine {
  readonly sign: '+' | '~' | '-' | '=' | '!';
  readonly file: string;
  readonly text: string;
}

const signs: Record<Outcome['did'], ReportLine['sign']> = {
  added: '+',
  updated: '~',
  removed: '-',
  unchanged: '=',
  absent: '=',
  missing: '!',
  stale: '!',
  left: '!',
  refused: '!',
};

const words: Record<Outcome['did'], string> = {
  added: 'added',
  updated: 'updated',
  removed: 'removed',
  unchanged: 'up to date',
  absent: 'not there',
  missing: 'missing',
  stale: 'out of date',
  left: 'left as it is',
  refused: 'left as it is',
};

/** The outcomes for people: what became the same of several hooks of a file is one line. */
export function reportLines(outcomes: readonly Outcome[]): ReportLine[] {
  const groups = Map.groupBy(outcomes, ({ file, did, why }) => [file, did, why].join('\n'));
  return [...groups.values()].map((group) => {
    const { file, did, why } = group[0]!;
    const what = entriesText(group.flatMap(({ entry }) => entry ?? []));
    return { sign: signs[did], file, text: [what, why && `${why}:`, words[did]].filter(Boolean).join(' ') };
  });
}

/** `hook Stop` and `hook SessionStart` are `hooks Stop, SessionStart`. */
function entriesText(entries: readonly string[]): string {
  const hooks = entries
    .filter((entry) => entry.startsWith('hook '))
    .map((entry) => entry.slice('hook '.length));
  const others = entries.filter((entry) => !entry.startsWith('hook '));
  const hooksText =
    hooks.length === 0 ? [] : [`${hooks.length === 1 ? 'hook' : 'hooks'} ${hooks.join(', ')}`];
  return [...others, ...hooksText].join(', ');
}

const names: Record<Client, string> = {
  claude: 'Claude Code',
  codex: 'Codex',
  cursor: 'Cursor',
  gemini: 'Gemini CLI',
};

/** What to do before the client goes by what was written. */
const nextSteps: Record<Client, string> = {
  claude: 'Start a new session in this folder, and approve the server "switchyard" when asked.',
  codex:
    'Start a new session in this folder, trust the project, and look through its hooks with /hooks: Codex runs none before.',
  cursor: 'Open the folder in Cursor, and switch the server "switchyard" on in its settings for MCP.',
  gemini: 'Start a new session in this folder, and trust it when asked.',
};

/** What it comes to, in a sentence or two. */
export function summaryText({ client, project, is_bound, outcomes }: SetupResult, mode: Mode): string {
  const well = isWell(outcomes);
  if (mode === 'remove')
    return well ? `${names[client]} is as it was without Switchyard.` : 'Not all was removed; see above.';
  if (mode === 'check') {
    if (well) return `${names[client]} is set up for project ${project}.`;
    return `${names[client]} is not set up as it would be now. Run: switchyard setup ${client}`;
  }
  if (!well) return 'Not all was written: mend what is marked with !, and run it again.';
  if (outcomes.every(({ did }) => did === 'unchanged'))
    return `Nothing to do: ${names[client]} is set up for project ${project}.`;
  const bound =
    'The files name a path of this machine. Install switchyard in the repository, or for all of the machine, and run this again before you commit them.';
  return [nextSteps[client], ...(is_bound ? [bound] : [])].join('\n');
}
