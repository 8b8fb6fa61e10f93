import { appendFileSync } from 'node:fs';
import { text as readAll } from 'node:stream/consumers';
import { buildCommand } from '@stricli/core';
import { clients } from '../../setup/client-names.ts';
import { answerHook } from '../../setup/hooks/hook.ts';
import { hookEvents } from '../../setup/hooks/input.ts';
import { shellWord } from '../../setup/launcher.ts';
import type { Cli } from '../context.ts';
import { docs, projectFlag, text, type ProjectFlag } from '../flags.ts';
import { primerText, readPrimer } from '../prime.ts';

interface HookFlags extends ProjectFlag {
  readonly client?: string;
  readonly url?: string;
}

export const hook = buildCommand({
  async func(this: Cli, flags: HookFlags, event?: string) {
    const { stdin, stdout, stderr } = this.process;
    const project = flags.project || this.env.SWITCHYARD_PROJECT;
    const answer = await answerHook({
      event: event ?? '',
      client: flags.client ?? '',
      project,
      url: flags.url,
      json: stdin.isTTY ? '{}' : await readAll(stdin),
      env: this.env,
      folder: process.cwd(),
      prime: async (...of) => primerText(await readPrimer(...of), this.env.SWITCHYARD_ITEM_ID),
    });
    stderr.write(answer.stderr);
    stdout.write(answer.stdout);
    if (event === 'session-start' && answer.agentId !== null) nameShell(this.env, answer.agentId, project);
  },
  parameters: {
    flags: {
      ...projectFlag,
      client: text(clients.join('|'), 'Whose JSON is on stdin, and who reads the answer'),
      url: text('url', 'Where the hub is (default: SWITCHYARD_URL, or the hub of this machine)'),
    },
    // Anything is taken: a client reads exit code 2, which a wrong argument would end with, as a refusal.
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, optional: true, placeholder: hookEvents.join('|'), brief: 'What happens' },
      ],
    },
  },
  docs: docs({
    brief: 'Answer a hook of a coding agent; for the files that setup writes',
    usage: `${hookEvents.join('|')} --client ${clients.join('|')} [flags]`,
    examples: [
      ['pre-edit --client claude --project shop', 'May this file be edited? JSON on stdin, JSON on stdout'],
    ],
    details: 'Always ends with exit code 0: without a hub the client goes on as if there were no hook.',
  }),
});

/** Claude Code reads this file before every command of its shell: what is typed there is then the same agent's. */
function nameShell(env: NodeJS.ProcessEnv, agentId: string, project: string | undefined): void {
  const file = env.CLAUDE_ENV_FILE;
  if (!file) return;
  const variables = { SWITCHYARD_AGENT: agentId, ...(project ? { SWITCHYARD_PROJECT: project } : {}) };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  try {
    appendFileSync(file, lines.join(''));
  } catch {
    // It is a convenience: with --agent the shell's commands are the agent's as well.
  }
}
