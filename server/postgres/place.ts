// Where the embedded database lives on disk.
//
// In `postgres/` of the hub's data directory. When root starts the hub in a folder that PostgreSQL's account may
// not enter (a home of mode 0700), the database lives in a folder of its own below /var/lib/switchyard instead,
// and `postgres` in the data directory is a symbolic link to it. The link, rather than a name made from the
// path: moving a checkout takes its database along, and deleting the data directory begins anew.
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { can, chooseAccount } from './account.ts';
import type { Account } from './account.ts';
import { EmbeddedPostgresError } from './errors.ts';

/** The folder of one embedded database, and what is in it. All paths are real ones, without symbolic links. */
export interface Place {
  home: string;
  /** PostgreSQL's own data directory. */
  database: string;
  /** What PostgreSQL has to say; see log-file.ts. */
  log: string;
  /** Held by the hub that uses the database. */
  lock: string;
}

/** Where a hub started by root keeps what PostgreSQL's account cannot reach elsewhere. */
export const ROOT_FOLDER = '/var/lib/switchyard';

const SHORT_FOLDER = '/tmp/switchyard-socket-';

/**
 * The place of the database that belongs to a data directory; both are made when missing.
 * @param dataDir the hub's data directory
 * @param rootFolder in place of ROOT_FOLDER
 * @throws EmbeddedPostgresError when the place it had is gone
 */
export function findPlace(dataDir: string, rootFolder = ROOT_FOLDER): Place {
  const asRoot = process.getuid?.() === 0;
  makeFolder(dataDir, asRoot ? 0o711 : undefined);
  const entry = join(realpathSync(dataDir), 'postgres');
  if (!lstatSync(entry, { throwIfNoEntry: false })) {
    const account = chooseAccount(join(entry, 'data'));
    if (account.uid === undefined || can(account, '-x', realpathSync(dataDir))) {
      makeFolder(entry, asRoot ? 0o711 : undefined);
    } else {
      makeFolder(rootFolder, 0o755);
      const home = mkdtempSync(join(rootFolder, 'database-'));
      chmodSync(home, 0o711);
      symlinkSync(home, entry);
    }
  }
  const home = follow(entry);
  return {
    home,
    database: join(home, 'data'),
    log: join(home, 'postgres.log'),
    lock: join(home, 'hub.lock'),
  };
}

/**
 * A folder of mode 0700 for the socket: whoever can enter it has all rights in the database.
 * @returns its path, short enough for a socket in it
 */
export function socketFolder(place: Place, account: Account): string {
  // The system's bound on the path of a socket, in bytes, and less than many a checkout's depth.
  const bound = process.platform === 'linux' ? 107 : 103;
  const near = join(place.home, 'socket');
  const fits = Buffer.byteLength(join(near, '.s.PGSQL.5432.lock')) <= bound;
  // A name nobody can guess, because anybody may make folders in /tmp. Adoption finds it in postmaster.pid.
  const folder = fits ? near : mkdtempSync(SHORT_FOLDER);
  makeFolder(folder, 0o700);
  giveTo(account, folder);
  return folder;
}

/** Removes a folder that socketFolder made, unless it is the one in the database's place. */
export function removeSocketFolder(folder: string): void {
  if (folder.startsWith(SHORT_FOLDER)) rmSync(folder, { recursive: true, force: true });
}

/** Makes a folder and those above it; the mode is for the folder itself when it is new, whatever the umask. */
export function makeFolder(path: string, mode?: number): void {
  const made = mkdirSync(path, { recursive: true });
  if (made !== undefined && mode !== undefined) chmodSync(path, mode);
}

/** Hands a folder over to the account that runs PostgreSQL, where that is not the hub's own. */
export function giveTo({ uid, gid }: Account, path: string): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function follow(entry: string): string {
  try {
    return realpathSync(entry);
  } catch {
    throw new EmbeddedPostgresError(
      `${entry} points to the folder of the database, which is gone. Bring it back, or delete ${entry} to begin ` +
        `with an empty database.`,
    );
  }
}
