import { Misuse } from '../command.ts';
import type { Client } from './client-names.ts';
import { plansOf, type SetupTarget } from './clients.ts';
import type { FilePlan, Settings } from './entry.ts';
import { findLauncher } from './launcher.ts';
import { runPlans, type Mode, type Outcome } from './run.ts';
import { FileRefused, readTextFile } from './text-file.ts';

export interface SetupOptions {
  readonly client: Client;
  readonly mode: Mode;
  /** The repository's folder, absolute. */
  readonly folder: string;
  readonly project?: string | undefined;
  readonly url?: string | undefined;
  readonly local?: boolean | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The program that runs now. */
  readonly bin: string;
  /** Finds out the project when nothing says it. */
  readonly askProject: () => Promise<string>;
}

export interface SetupResult {
  readonly client: Client;
  readonly folder: string;
  readonly project: string | null;
  /** What was written names a path of this machine, so that it is of no use on another. */
  readonly is_bound: boolean;
  readonly outcomes: readonly Outcome[];
}

/**
 * Writes what a client reads, looks whether it stands there, or takes it out again. What was written before decides
 * the project and the hub's address where the options do not say them. Throws `Misuse` for an address that is none.
 *
 *     await setup({ client: 'claude', mode: 'write', folder, project: 'shop', env, bin, askProject });
 */
export async function setup(options: SetupOptions): Promise<SetupResult> {
  const { client, mode, folder, env, local, bin } = options;
  if (options.url !== undefined) mustBeAddress(options.url);
  const launcher = findLauncher(folder, env, bin);
  const target: SetupTarget = { folder, project: '', launcher, env, local };
  const written = settingsIn(plansOf(client, target));
  const project = options.project ?? (await projectFor(options, written));
  const url = options.url ?? written.url;
  const outcomes = runPlans(plansOf(client, { ...target, project, url }), mode);
  return {
    client,
    folder,
    project: project || null,
    is_bound: launcher.kind === 'file' && mode === 'write',
    outcomes,
  };
}

/** '' where it does not matter: what is taken out is, whatever it is for, and what is not there is missing. */
async function projectFor({ env, mode, askProject }: SetupOptions, written: Settings): Promise<string> {
  if (mode === 'remove') return '';
  const known = written.project || env.SWITCHYARD_PROJECT || '';
  return known || mode === 'check' ? known : askProject();
}

/** What the server that stands in one of the files is for. A file that is refused is reported when its turn comes. */
function settingsIn(plans: readonly FilePlan[]): Settings {
  for (const { path, entries } of plans) {
    for (const entry of entries) {
      try {
        const found = entry.settings?.(readTextFile(path).text);
        if (found?.project) return found;
      } catch (error) {
        if (!(error instanceof FileRefused)) throw error;
      }
    }
  }
  return {};
}

function mustBeAddress(text: string): void {
  const url = URL.parse(text);
  if (!/^https?:$/.test(url?.protocol ?? ''))
    throw new Misuse(`--url is no address: "${text}". Use http://host:port.`);
  if (url?.username || url?.password)
    throw new Misuse('--url holds a password, and would be committed with the files. Leave it out.');
}
