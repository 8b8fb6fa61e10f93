import { resolve } from 'node:path';
import { buildCommand } from '@stricli/core';
import { limits } from '@switchyard/shared/limits';
import { Misuse } from '../../command.ts';
import { RunConsole } from '../../run/console.ts';
import { parseDuration } from '../../run/duration.ts';
import { Guard } from '../../run/guard.ts';
import { logsIn, noLogs } from '../../run/logs.ts';
import { Runner } from '../../run/runner.ts';
import { stopOnSignals } from '../../run/signals.ts';
import { checkRun, findGround } from '../../run/start.ts';
import type { Cli } from '../context.ts';
import { agentFlag, docs, text, toggle, wholeNumber, type AgentFlag } from '../flags.ts';

interface RunFlags extends AgentFlag {
  readonly concurrency?: number;
  readonly taskType?: readonly string[];
  readonly worktree?: boolean;
  readonly base?: string;
  readonly noCommit?: boolean;
  readonly noWatch?: boolean;
  readonly timeout?: number;
  readonly killAfter: number;
  readonly maxItems?: number;
  readonly exitWhenIdle?: boolean;
  readonly logs?: string;
}

const details = `Exit 0 of the command completes the item with its last lines as summary; 65 fails it for good; any other
exit, or a signal, fails it so that it may be tried again. Files that change meanwhile are reported as they do.
The item is in the environment (SWITCHYARD_ITEM_TITLE, _DESCRIPTION, _NUMBER, …), whole on stdin as JSON, and
in the arguments as {title}, {description}, {number}, {files} and others; see docs/run.md.

Ctrl-C lets what is under way finish; a second one ends it and gives the items back, as TERM does.`;

export const run = buildCommand({
  async func(this: Cli, flags: RunFlags, ...command: string[]) {
    const folder = process.cwd();
    checkRun(command, folder, this.env);
    if (!flags.worktree && (flags.base !== undefined || flags.noCommit))
      throw new Misuse('--base and --no-commit are about the branches of --worktree: say that too.');
    const { stdout, stderr } = this.process;
    const console = new RunConsole({ stdout: flags.json ? stderr : stdout, stderr });
    const project = await this.project(flags.project);
    await this.call('project.get', { project }); // says at once that there is no hub, or no such project
    const agent = await this.actor(flags.agent);
    const concurrency = flags.concurrency ?? 1;
    const onTrouble = (message: string) => console.say(message, { style: 'red' });
    const logs = flags.logs === undefined ? noLogs : logsIn(resolve(folder, flags.logs), onTrouble);
    const ground = await findGround({
      folder,
      worktree: flags.worktree ?? false,
      base: flags.base ?? 'HEAD',
      commit: !flags.noCommit,
      watches: !flags.noWatch,
      concurrency,
      project,
      agent,
      console,
    });
    const guard = new Guard(flags.killAfter);
    const runner = new Runner({
      ...{ command, project, agent, concurrency, console, logs, guard, hub: this.hub, env: this.env },
      ...{ open: ground.open, prepare: (client) => ground.prepare((...asked) => client.call(...asked)) },
      taskTypes: flags.taskType ?? [],
      maxItems: flags.maxItems ?? Infinity,
      exitWhenIdle: flags.exitWhenIdle ?? false,
      timeoutMs: flags.timeout,
      graceMs: flags.killAfter,
    });
    const signals = stopOnSignals(runner, console);
    this.process.readerLeft = signals.readerLeft;
    try {
      const totals = await runner.run();
      this.process.exitCode = signals.exitCode;
      if (flags.json) this.out.result(totals, () => '');
    } finally {
      signals.off();
      guard.close();
      await ground.close();
    }
  },
  parameters: {
    flags: {
      ...agentFlag,
      concurrency: wholeNumber('n', 'How many items at once (default: 1)', 1, limits.capacityMax),
      taskType: { ...text('type', 'Take items of this type only; may be repeated'), variadic: true },
      worktree: toggle('Give each item a git worktree and a branch of its own'),
      base: text('commit', 'What new branches start from (default: HEAD)'),
      noCommit: toggle('With --worktree: leave uncommitted what the command leaves so'),
      noWatch: toggle('Do not report the files that change'),
      timeout: duration('End a command that takes longer, and fail its item: 90s, 10m, 2h'),
      killAfter: {
        ...duration('How long a command that is told to end may take'),
        optional: false,
        default: '10s',
      },
      maxItems: wholeNumber('n', 'Take so many items, then exit', 1, 1_000_000),
      exitWhenIdle: toggle('Exit when nothing is ready, being worked on, or due for a retry'),
      logs: text('folder', "Keep each command's output there, as NUMBER.ATTEMPT.log"),
    },
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'COMMAND', brief: 'The command and its arguments, after --' },
    },
  },
  docs: docs({
    brief: 'Claim items and run a command for each',
    usage: '[flags] -- COMMAND ARGS',
    examples: [
      ['-- claude -p {title}', 'Let a coding agent work off what is ready'],
      ['--worktree --concurrency 3 --timeout 1h -- ./work.sh', 'Three at once, each on a branch of its own'],
      [
        '--task-type format --exit-when-idle -- npx prettier --write {files}',
        'Format planned files, then exit',
      ],
    ],
    details,
  }),
});

function duration(brief: string) {
  return { ...text('duration', brief), parse: parseDuration };
}
