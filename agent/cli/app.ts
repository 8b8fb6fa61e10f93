import {
  buildApplication,
  buildRouteMap,
  text_en,
  version as versionFlag,
  type Application,
  type Command,
  type RouteMap,
} from '@stricli/core';
import type { Cli } from './context.ts';
import { helpFor, type Groups } from './help.ts';
import { version } from './version.ts';
import { wordingOf } from './wording.ts';

type Loader = () => Promise<Command<Cli> | RouteMap<Cli>>;

/**
 * The commands, under the headings of `--help`. To add one: a file in `commands/` that exports what `buildCommand` (or
 * `buildRouteMap`, for `x a|b`) of @stricli/core made, and one line here. Its function has the `Cli` of
 * context.ts as `this`, says everything through `this.out`, and throws: a `Refusal` of the hub as it comes, a
 * `Misuse` for a wrong call. An exit code of its own (exit-codes.ts) goes into `this.process.exitCode`.
 *
 * A command is loaded when it is called: all of them take three times as long, and hooks wait for it at every edit.
 */
const groups = {
  'The work there is': {
    projects: () => import('./commands/projects.ts').then(({ projects }) => projects),
    add: () => import('./commands/add.ts').then(({ add }) => add),
    import: () => import('./commands/import.ts').then(({ importBacklog }) => importBacklog),
    list: () => import('./commands/list.ts').then(({ list }) => list),
    ready: () => import('./commands/list.ts').then(({ ready }) => ready),
    show: () => import('./commands/show.ts').then(({ show }) => show),
    explain: () => import('./commands/explain.ts').then(({ explain }) => explain),
    status: () => import('./commands/status.ts').then(({ status }) => status),
    watch: () => import('./commands/watch.ts').then(({ watch }) => watch),
  },
  'Doing it': {
    claim: () => import('./commands/claim.ts').then(({ claim }) => claim),
    heartbeat: () => import('./commands/work.ts').then(({ heartbeat }) => heartbeat),
    files: () => import('./commands/files.ts').then(({ files }) => files),
    complete: () => import('./commands/work.ts').then(({ complete }) => complete),
    fail: () => import('./commands/work.ts').then(({ fail }) => fail),
    release: () => import('./commands/work.ts').then(({ release }) => release),
    run: () => import('./commands/run.ts').then(({ run }) => run),
  },
  'Steering it': {
    cancel: () => import('./commands/steer.ts').then(({ cancel }) => cancel),
    retry: () => import('./commands/steer.ts').then(({ retry }) => retry),
  },
  'Coding agents': {
    setup: () => import('./commands/setup.ts').then(({ setup }) => setup),
    prime: () => import('./commands/prime.ts').then(({ prime }) => prime),
    mcp: () => import('./commands/mcp.ts').then(({ mcp }) => mcp),
    hook: () => import('./commands/hook.ts').then(({ hook }) => hook),
  },
  'This installation': {
    up: () => import('./commands/up.ts').then(({ up }) => up),
    token: () => import('./commands/token.ts').then(({ token }) => token),
    doctor: () => import('./commands/doctor.ts').then(({ doctor }) => doctor),
    completion: () => import('./commands/completion.ts').then(({ completion }) => completion),
  },
} satisfies Record<string, Record<string, Loader>>;

/**
 * The application for a command line that begins with `first`: with that command, or with all where it is none. `failed`
 * hears what a command threw, or why the command line was not understood.
 */
export async function buildApp(
  first: string | undefined,
  failed: (error: unknown) => void,
): Promise<Application<Cli>> {
  const loaded = await load(first);
  const routes = Object.assign({}, ...Object.values(loaded)) as Groups[string];
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
      help: helpFor(loaded),
      version: versionFlag<Cli>({ brief: 'Show the version', alias: 'v', info: { currentVersion: version } }),
    },
  );
}

async function load(first: string | undefined): Promise<Groups> {
  const all: [title: string, loaders: [name: string, load: Loader][]][] = Object.entries(groups).map(
    ([title, loaders]) => [title, Object.entries(loaders)],
  );
  const isKnown = all.some(([, loaders]) => loaders.some(([name]) => name === first));
  const wanted = all.map(async ([title, loaders]) => {
    const called = loaders.filter(([name]) => !isKnown || name === first);
    const routes = await Promise.all(called.map(async ([name, loadIt]) => [name, await loadIt()] as const));
    return [title, Object.fromEntries(routes)] as const;
  });
  return Object.fromEntries(await Promise.all(wanted));
}
