import { buildCommand, buildRouteMap } from '@stricli/core';
import type { Conflict } from '@switchyard/shared/item';
import type { Cli } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { agentFlag, docs, text, type AgentFlag } from '../flags.ts';
import { conflictLines, filesText } from '../item-text.ts';
import { heldClaim } from '../items.ts';
import { nameOf } from '../naming.ts';
import { namedPaths } from '../paths.ts';
import { fence } from './work.ts';

const paths = (brief: string) =>
  ({
    kind: 'array',
    minimum: 1,
    parameter: { parse: String, placeholder: 'PATH', brief },
  }) as const;

interface ReportFlags extends AgentFlag {
  readonly item?: string;
}

const report = buildCommand({
  async func(this: Cli, flags: ReportFlags, ...files: string[]) {
    const held = await heldClaim(this, flags.item, flags);
    const answer = await this.call('item.report_files', { ...fence(held), files: namedPaths(files) });
    this.out.result(answer, () =>
      [
        `${nameOf(answer.item)} has touched ${filesText(answer.item.files_modified)}`,
        ...conflictLines(this.out, answer.conflicts),
      ].join('\n'),
    );
  },
  parameters: {
    flags: { ...agentFlag, item: text('item', 'The item (default: the one that this agent holds)') },
    positional: paths('Relative to the project’s root'),
  },
  docs: docs({
    brief: 'Say which files the work has touched',
    usage: 'PATH… [flags]',
    examples: [['src/db.ts src/db.test.ts --item 31', 'Item 31 has touched two files']],
    details: 'Answers with everybody who works on the same files.',
  }),
});

const check = buildCommand({
  async func(this: Cli, flags: AgentFlag, ...files: string[]) {
    const project = await this.project(flags.project);
    const answer = await this.call('item.check_files', {
      project,
      agent_id: this.agentId(flags.agent),
      files: namedPaths(files),
    });
    if (answer.conflicts.length > 0) this.process.exitCode = exitCodes.conflict;
    this.out.result(answer, () => checkText(this, answer.conflicts));
  },
  parameters: {
    flags: agentFlag,
    positional: paths('A file, folder/ or glob, relative to the project’s root'),
  },
  docs: docs({
    brief: 'Say who else works on these files, changing nothing',
    usage: 'PATH… [flags]',
    examples: [["src/db.ts 'src/db/**'", 'Look before you touch']],
    details: 'Exit code 6 when somebody does.',
  }),
});

function checkText(cli: Cli, conflicts: readonly Conflict[]): string {
  return conflicts.length === 0
    ? 'Nobody else works on these files.'
    : conflictLines(cli.out, conflicts).join('\n');
}

export const files = buildRouteMap({
  routes: { report, check },
  docs: { brief: 'Report the files that the work touches, or check who else does' },
});
