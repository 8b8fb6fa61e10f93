// A repository and a home folder of a test's own, and setup run on them.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../server/test/setup/postgres.ts';
import type { Client } from '../setup/client-names.ts';
import type { Mode, Outcome } from '../setup/run.ts';
import { setup, type SetupOptions } from '../setup/setup.ts';

export const bin = fileURLToPath(new URL('../bin.mjs', import.meta.url));

export class Repository {
  readonly home = temporaryFolder();
  readonly folder = temporaryFolder();

  /** `local`: switchyard is installed in it. */
  constructor(files: Record<string, string> = {}, { local = true } = {}) {
    onTestFinished(() => {
      for (const folder of [this.home, this.folder]) rmSync(folder, { recursive: true, force: true });
    });
    mkdirSync(join(this.folder, '.git'));
    if (local) this.write('node_modules/.bin/switchyard', '');
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  get env(): NodeJS.ProcessEnv {
    return { HOME: this.home, PATH: '' };
  }

  async setup(client: Client, mode: Mode, more: Partial<SetupOptions> = {}): Promise<Outcome[]> {
    const askProject = () => Promise.reject(new Error('asked for the project'));
    const project = mode === 'write' ? 'shop' : undefined;
    const result = await setup({
      client,
      mode,
      folder: this.folder,
      project,
      env: this.env,
      bin,
      askProject,
      ...more,
    });
    return [...result.outcomes];
  }

  /** What became of the entries, each kind once. */
  async dids(client: Client, mode: Mode, more: Partial<SetupOptions> = {}): Promise<string[]> {
    return [...new Set((await this.setup(client, mode, more)).map(({ did }) => did))];
  }

  path(path: string): string {
    return path.startsWith('~/') ? join(this.home, path.slice(2)) : join(this.folder, path);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  json(path: string): Record<string, never> {
    return JSON.parse(this.read(path)) as Record<string, never>;
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  /** Every file that setup might have made or changed, with its text. */
  files(): Record<string, string> {
    return { ...filesBelow(this.home, '~/'), ...filesBelow(this.folder, '') };
  }
}

function filesBelow(folder: string, prefix: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  const own = files.filter((file) => !/[/\\](node_modules|\.git)[/\\]/.test(file));
  return Object.fromEntries(own.map((file) => [prefix + relative(folder, file), readFileSync(file, 'utf8')]));
}
