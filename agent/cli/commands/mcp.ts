import { buildCommand } from '@stricli/core';
import { serveStdio } from '../../mcp/stdio.ts';
import { findHub } from '../../hub-address.ts';
import { agentNameIn } from '../../setup/agent-name.ts';
import type { Cli } from '../context.ts';
import { docs, text } from '../flags.ts';

interface Flags {
  readonly project?: string;
  readonly agent?: string;
}

export const mcp = buildCommand({
  async func(this: Cli, { project, agent }: Flags) {
    await serveStdio({
      // Looked up again for each connection: the token of a hub that was never started is made when it is.
      address: () => findHub(this.env),
      project: project || this.env.SWITCHYARD_PROJECT || undefined,
      agent: agent || agentNameIn(this.env),
      say: (message) => void this.process.stderr.write(`switchyard mcp: ${message}\n`),
    });
  },
  parameters: {
    flags: {
      project: text(
        'name',
        'The project (default: SWITCHYARD_PROJECT; else each call says it, unless there is only one)',
      ),
      agent: text(
        'name',
        'Who works (default: SWITCHYARD_AGENT, or the name of the client with something of its own)',
      ),
    },
  },
  docs: docs({
    brief: 'Serve MCP clients over stdio: Claude Code, Cursor, Codex, Gemini CLI',
    usage: '[--project name] [--agent name]',
    examples: [['--project shop', 'What an MCP client runs to work on shop']],
    details:
      'MCP clients start this themselves; docs/mcp.md says how to tell them. It passes messages on to the hub, which may\n' +
      'come and go, and ends with its client.',
  }),
});
