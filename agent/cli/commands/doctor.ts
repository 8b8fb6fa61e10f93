import { buildCommand } from '@stricli/core';
import type { Cli } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { docs, projectFlag, type ProjectFlag } from '../flags.ts';
import { examine, type Check } from '../health.ts';
import type { Style } from '../output.ts';

const colours: Record<Check['state'], Style> = { ok: 'green', warn: 'yellow', fail: 'red' };

export const doctor = buildCommand({
  async func(this: Cli, flags: ProjectFlag) {
    const checks = await examine(this, flags.project);
    const ok = checks.every(({ state }) => state !== 'fail');
    if (!ok) this.process.exitCode = exitCodes.refused;
    this.out.result({ ok, checks }, () =>
      checks
        .map((check) => this.out.style(colours[check.state], check.state.padEnd(4)) + textOf(check))
        .join('\n'),
    );
  },
  parameters: { flags: projectFlag },
  docs: docs({
    brief: 'Find out why something does not work',
    usage: '[flags]',
    examples: [['', 'Look at Node, git, the hub, the token, the project and the clock']],
    details: 'Exit code 1 when something is wrong that has to be put right.',
  }),
});

const nameWidth = 9;

function textOf({ name, message, advice }: Check): string {
  const indent = ' '.repeat('fail'.length + 2 + nameWidth);
  return `  ${name.padEnd(nameWidth)}${message}${advice === undefined ? '' : `\n${indent}${advice}`}`;
}
