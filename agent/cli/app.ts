import { buildApplication, buildRouteMap, text_en, type Application } from '@stricli/core';
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
import { wordingOf } from './wording.ts';
import { version } from './version.ts';

/**
 * The commands, in the order of `--help`. To add one: a file in `commands/` that exports what `buildCommand` (or
 * `buildRouteMap`, for `x a|b`) of @stricli/core made, and one line here. Its function has the `Cli` of
 * context.ts as `this`, says everything through `this.out`, and throws: a `Refusal` of the hub as it comes, a
 * `Misuse` for a wrong call. An exit code of its own (exit-codes.ts) goes into `this.process.exitCode`.
 */
const routes = {
  up,
  projects,
  add,
  import: importBacklog,
  list,
  ready,
  show,
  explain,
  status,
  watch,
  claim,
  heartbeat,
  files,
  complete,
  fail,
  release,
  cancel,
  retry,
  prime,
  token,
  doctor,
  completion,
  setup,
  hook,
  run,
  mcp,
};

/** `failed` hears what a command threw, or why the command line was not understood. */
export function buildApp(failed: (error: unknown) => void): Application<Cli> {
  return buildApplication(
    buildRouteMap<keyof typeof routes, Cli>({
      routes,
      docs: {
        brief: 'Work on one project with many agents at the same time',
        fullDescription: `Switchyard ${version}: work on one project with many agents at the same time.`,
      },
    }),
    {
      name: 'switchyard',
      versionInfo: { currentVersion: version },
      scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
      documentation: { onlyRequiredInUsageLine: true },
      localization: { text: { ...text_en, ...wordingOf(failed) } },
    },
  );
}
