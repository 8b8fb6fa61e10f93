import { buildCommand } from '@stricli/core';
import type { Cli } from '../context.ts';
import { agentFlag, docs, type AgentFlag } from '../flags.ts';
import { primerText, readPrimer } from '../prime.ts';

export const prime = buildCommand({
  async func(this: Cli, flags: AgentFlag) {
    const project = await this.project(flags.project);
    const agent_id = await this.actor(flags.agent);
    const primer = await readPrimer(this.call, project, agent_id);
    const markdown = primerText(primer, this.env.SWITCHYARD_ITEM_ID);
    const holding = primer.holding.map(({ id, number, attempt }) => ({ id, number, attempt }));
    const ready = primer.ready.map(({ id, number }) => ({ id, number }));
    this.out.result({ project, agent_id, markdown, holding, ready }, () => markdown);
  },
  parameters: { flags: agentFlag },
  docs: docs({
    brief: 'Say what an agent needs to know now, in Markdown, to be read by a model',
    usage: '[flags]',
    examples: [['--agent anna', 'What anna holds and may take, and how']],
    details: 'At most 8,000 characters (about 2,000 tokens), however large the project.',
  }),
});
