import { resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { Misuse } from '../../command.ts';
import { repositoryRoot } from '../../setup/agent-name.ts';
import { clients, type Client } from '../../setup/client-names.ts';
import { reportLines, summaryText, type ReportLine } from '../../setup/report.ts';
import { isWell, type Mode } from '../../setup/run.ts';
import { setup as runSetup } from '../../setup/setup.ts';
import type { Cli } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { docs, projectFlag, text, toggle, type ProjectFlag } from '../flags.ts';
import type { Style } from '../output.ts';

interface SetupFlags extends ProjectFlag {
  readonly check?: boolean;
  readonly remove?: boolean;
  readonly local?: boolean;
  readonly url?: string;
  readonly dir?: string;
}

const styles: Record<ReportLine['sign'], Style> = {
  '+': 'green',
  '~': 'green',
  '-': 'yellow',
  '=': 'dim',
  '!': 'red',
};

export const setup = buildCommand({
  async func(this: Cli, flags: SetupFlags, client: Client) {
    const mode = modeOf(flags);
    const result = await runSetup({
      client,
      mode,
      folder: flags.dir === undefined ? repositoryRoot('.') : resolve(flags.dir),
      project: flags.project,
      url: flags.url,
      local: flags.local,
      env: this.env,
      bin: process.argv[1]!,
      askProject: () => this.project(undefined),
    });
    if (!isWell(result.outcomes)) this.process.exitCode = exitCodes.refused;
    this.out.result(result, () => {
      const lines = reportLines(result.outcomes);
      const width = Math.max(...lines.map(({ file }) => file.length));
      const shown = lines.map(
        ({ sign, file, text }) => `${this.out.style(styles[sign], sign)} ${file.padEnd(width)}  ${text}`,
      );
      return [`In ${result.folder}:`, ...shown, summaryText(result, mode)].join('\n');
    });
  },
  parameters: {
    flags: {
      ...projectFlag,
      check: toggle('Change nothing; say what is missing or stale, with exit code 1 if anything is'),
      remove: toggle('Take out what setup wrote, and nothing else'),
      url: text('url', 'Where the hub is (default: SWITCHYARD_URL of the client, or the hub of its machine)'),
      dir: text('folder', 'The repository (default: the one around the current folder)'),
      local: toggle(
        'codex: put the server into .codex/config.toml of the repository, not of the home folder',
      ),
    },
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: clientOf, placeholder: clients.join('|'), brief: 'The client that is to know Switchyard' },
      ],
    },
  },
  docs: docs({
    brief: 'Make a coding agent know Switchyard: its MCP server, hooks and AGENTS.md',
    usage: `${clients.join('|')} [flags]`,
    examples: [
      ['claude --project shop', 'Write what Claude Code reads, merging with what is there'],
      ['claude --check', 'Say whether it stands there'],
      ['claude --remove', 'Take it out again'],
    ],
    details: 'Files are merged with, never overwritten; a second run changes nothing. No token is written.',
  }),
});

function modeOf({ check, remove }: SetupFlags): Mode {
  if (check && remove) throw new Misuse('--check changes nothing, and --remove does: say one of them.');
  if (check) return 'check';
  return remove ? 'remove' : 'write';
}

function clientOf(name: string): Client {
  const client = clients.find((one) => one === name);
  if (!client) throw new Error(`no client that setup knows: say ${clients.join(', ')}`);
  return client;
}
