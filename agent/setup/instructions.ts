import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Entry, FilePlan } from './entry.ts';
import { markdownBlock } from './entries.ts';
import { realpathOf } from './agent-name.ts';
import type { Launcher } from './launcher.ts';

/** What AGENTS.md tells an agent of Switchyard. Short: it is in the context of every session. */
export function agentsBlock(client: string, project: string, launcher: Launcher): Entry {
  const command = launcher.kind === 'local' ? 'npx switchyard' : 'switchyard';
  return markdownBlock(client, [
    '',
    '## Switchyard',
    '',
    `Several agents work on this repository at the same time. Switchyard (project \`${project}\`) says who does what.`,
    `Use the tools of the MCP server \`switchyard\`; in a shell, \`${command} --help\` has the same commands.`,
    '',
    '- Before you change files, claim an item (`ready_items`, `claim_item`), and change only what it asks for.',
    '- Say which files you touch (`report_files`). When a conflict is reported, leave the file to the other agent, or',
    '  agree with them first.',
    '- Say how far you are (`update_progress`); a claim without a sign of life goes back to the queue.',
    '- End with `complete_item` and a summary, `fail_item` and a reason, or `release_item`. Hold nothing when you stop.',
    '- An item that is too large: `create_items` with it as their parent, then `release_item`.',
    '',
  ]);
}

/**
 * The file that leads a client to AGENTS.md, for one that does not read it by itself; null when it gets there already.
 * An import, as the clients' own manuals have it, keeps one home for the text.
 */
export function importPlan(
  folder: string,
  client: string,
  names: readonly string[],
  line: string,
): FilePlan | null {
  const agents = realpathOf(join(folder, 'AGENTS.md'));
  const shown = names.find((name) => existsSync(join(folder, name))) ?? names[0]!;
  const path = join(folder, shown);
  if (realpathOf(path) === agents) return null;
  const up = '../'.repeat(shown.split('/').length - 1);
  const entry = markdownBlock(client, [line.replace('AGENTS.md', `${up}AGENTS.md`)]);
  return {
    path,
    shown,
    entries: [{ ...entry, label: 'import of AGENTS.md', state: (text) => stateOfImport(entry, text) }],
  };
}

function stateOfImport(entry: Entry, text: string) {
  const standing = entry.state(text);
  const hasOwn = standing.state === 'missing' && /^@(\.{0,2}\/)*AGENTS\.md\s*$/m.test(text);
  return hasOwn ? ({ state: 'current' } as const) : standing;
}

/** Whether Gemini CLI was told to read AGENTS.md: `context.fileName` of a settings file. */
export function readsAgentsFile(settingsFile: string): boolean {
  try {
    return /"fileName"\s*:\s*(\[[^\]]*)?"AGENTS\.md"/.test(readFileSync(settingsFile, 'utf8'));
  } catch {
    return false;
  }
}
