import {
  buildApplication,
  buildRouteMap,
  text_en,
  version as versionFlag,
  type Application,
} from '@stricli/core';
import { add } from './commands/add.ts';
import { claim } from './commands/claim.ts';
import { completion } from './commands/completion.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { files } from './commands/files.ts';
import { hook } from './commands/hook.ts';
import { importBacklog } from './commands/import.ts';
import { list, ready } from './commands/list.ts';
import { mcp } from './commands/mcp.ts';
import { prime } from './commands/prime.ts';
import { projects } from './commands/projects.ts';
import { run } from './commands/run.ts';
import { setup } from './commands/setup.ts';
import { show } from './commands/show.ts';
import { status } from './commands/status.ts';
import { cancel, retry } from './commands/steer.ts';
import { token } from './commands/token.ts';
import { up } from './commands/up.ts';
import { watch } from './commands/watch.ts';
import { complete, fail, heartbeat, release } from './commands/work.ts';
import type { Cli } from './context.ts';
import { helpFor, type Groups } from './help.ts';
import { version } from './version.ts';
import { wordingOf } from './wording.ts';

/**
 * The commands, under the headings of `--help`. To add one: a file in `commands/` that exports what `buildCommand` (or
 * `buildRouteMap`, for `x a|b`) of @stricli/core made, and one line here. Its function has the `Cli` of
 * context.ts as `this`, says everything through `this.out`, and throws: a `Refusal` of the hub as it comes, a
 * `Misuse` for a wrong call. An exit code of its own (exit-codes.ts) goes into `this.process.exitCode`.
 */
const groups: Groups = {
  'The work there is': {
    projects,
    add,
    import: importBacklog,
    list,
    ready,
    show,
    explain,
    status,
    watch,
  },
  'Doing it': {
    claim,
    heartbeat,
    files,
    complete,
    fail,
    release,
    run,
  },
  'Steering it': {
    cancel,
    retry,
  },
  'Coding agents': {
    setup,
    prime,
    mcp,
    hook,
  },
  'This installation': {
    up,
    token,
    doctor,
    completion,
  },
};

/** `failed` hears what a command threw, or why the command line was not understood. */
export function buildApp(failed: (error: unknown) => void): Application<Cli> {
  const routes = Object.assign({}, ...Object.values(groups)) as Groups[string];
  return buildApplication(
    buildRouteMap<string, Cli>({
      routes,
      docs: { brief: 'Work on one project with many agents at the same time' },
    }),
    {
      name: 'switchyard',
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      localization: { text: { ...text_en, ...wordingOf(failed) } },
    },
    {
      help: helpFor(groups),
      version: versionFlag<Cli>({ brief: 'Show the version', alias: 'v', info: { currentVersion: version } }),
    },
  );
}
