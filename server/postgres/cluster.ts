// A PostgreSQL of the hub's own: made, started, adopted and stopped here, without the user noticing it.
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { tryLock } from '../setup/lock.mjs';
import { can, chooseAccount, options, runAs } from './account.ts';
import type { Account } from './account.ts';
import { findBinaries } from './binaries.ts';
import type { Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { keepRunning, type Keeper } from './keeper.ts';
import { keepLogShort, lastLines } from './log-file.ts';
import { findPlace, giveTo, removeSocketFolder, ROOT_FOLDER, socketFolder } from './place.ts';
import type { Place } from './place.ts';
import { becomeReady, findPostmaster, stopPostmaster } from './postmaster.ts';
import type { Postmaster } from './postmaster.ts';
import { asArguments, SETTINGS } from './settings.ts';
import type { Settings } from './settings.ts';

const USER = 'switchyard';
const DATABASE = 'postgres';

export interface EmbeddedPostgresOptions {
  /** The hub's data directory; the database goes into `postgres/` in it (see place.ts for root). */
  dataDir: string;
  /** Hears of what takes long or went wrong, in sentences for people. */
  log?: (message: string) => void;
  /** Go over those in settings.ts. An adopted server keeps the ones it was started with. */
  settings?: Settings;
  /** In place of /var/lib/switchyard, for tests. */
  rootFolder?: string;
}

/** A running PostgreSQL. */
export interface EmbeddedPostgres {
  /** For psql, pg_dump and other programs that use libpq. The `postgres` package cannot read a socket's URL. */
  url: string;
  /** For the `postgres` package: `postgres(connection)`. */
  connection: { host: string; port: number; user: string; database: string };
  /** Whether it was running already, left behind by a hub that was killed. */
  adopted: boolean;
  /** Stops it and waits until all is on disk; to be called once the hub's own connections are closed. */
  stop(): Promise<void>;
}

/**
 * Starts the PostgreSQL of a data directory, making it first where there is none, or adopts the one that runs.
 * It outlives Ctrl-C and the death of the hub: only `stop` ends it.
 * @throws EmbeddedPostgresError saying what is wrong and what to do: another hub uses the data directory, the
 *   database is another version's or another account's, this platform has no binaries, PostgreSQL does not start
 */
export async function startEmbeddedPostgres(given: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const log = given.log ?? (() => {});
  const place = findPlace(given.dataDir, given.rootFolder);
  const lock = tryLock(place.lock);
  if ('heldBy' in lock) {
    throw new EmbeddedPostgresError(
      `Another hub (process ${lock.heldBy}) is using the database in ${place.home}. Stop it first, or give this ` +
        `one a data directory of its own with SWITCHYARD_DATA_DIR.`,
    );
  }
  try {
    const account = chooseAccount(place.database);
    const settings = { ...SETTINGS, ...given.settings };
    const binaries = findBinaries(account, given.rootFolder ?? ROOT_FOLDER, log);
    await prepare(place, account, binaries, settings, log);
    const orphan = await adopt(place, account, log);
    const start = (folder: string) => launch({ place, account, binaries, settings, folder, log });
    const server = orphan ?? (await launchFirst(place, account, start));
    const keeper = keepRunning(place, server, () => start(server.socketFolder), log);
    return running(place, server, { adopted: orphan !== undefined, keeper, release: lock.release });
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface Held {
  adopted: boolean;
  keeper: Keeper;
  /** Gives the lock back. */
  release: () => void;
}

function running(place: Place, server: Postmaster, { adopted, keeper, release }: Held): EmbeddedPostgres {
  const stopKeepingLog = keepLogShort(place.log);
  const { socketFolder: host, port } = server;
  let stopped: Promise<void> | undefined;
  return {
    url: `postgresql://${USER}@/${DATABASE}?host=${encodeURIComponent(host)}&port=${port}`,
    connection: { host, port, user: USER, database: DATABASE },
    adopted,
    stop: () => (stopped ??= stop()),
  };
  async function stop(): Promise<void> {
    stopKeepingLog();
    const pid = await keeper.stop();
    await stopPostmaster(place.database, pid);
    removeSocketFolder(host);
    release();
  }
}

/** Sees to it that there is a database which these programs can serve. */
async function prepare(
  { home, database }: Place,
  account: Account,
  { initdb, major }: Binaries,
  settings: Settings,
  log: (message: string) => void,
): Promise<void> {
  if (account.uid !== undefined && !can(account, '-x', home)) {
    throw new EmbeddedPostgresError(
      `PostgreSQL runs as '${account.name}', who cannot enter ${home}. Open the folders on the way to it with ` +
        `chmod o+x, or start Switchyard as '${account.name}'.`,
    );
  }
  if (existsSync(database)) return checkVersion(database, major);

  log('Making a new database (once, takes a second or two)');
  // Made aside and renamed when complete: an interrupted start leaves nothing behind that looks like a database.
  for (const name of readdirSync(home))
    if (name.startsWith('new-')) rmSync(join(home, name), { recursive: true });
  const draft = join(home, `new-${process.pid}`);
  mkdirSync(draft, { mode: 0o700 });
  giveTo(account, draft);
  const args = ['-D', draft, '-U', USER, '--auth-local=trust', '--auth-host=reject', '--encoding=UTF8'];
  // The built-in C.UTF-8 sorts alike on every machine; the system's locales change under an index.
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  // A power cut minutes later could take the unsynced files of a database already in use: only for tests.
  if (settings.fsync === 'off') args.push('--no-sync');
  try {
    await runAs(account, initdb, args);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const hint = /could not look up effective user/.test(stderr ?? '')
      ? ' Start Switchyard under an account that /etc/passwd knows, or set DATABASE_URL.'
      : '';
    throw new EmbeddedPostgresError(
      `PostgreSQL could not make a database: ${stderr?.trim() || message}${hint}`,
    );
  }
  renameSync(draft, database);
}

function checkVersion(database: string, major: string): void {
  let made: string;
  try {
    made = readFileSync(join(database, 'PG_VERSION'), 'utf8').trim();
  } catch {
    throw new EmbeddedPostgresError(
      `${database} holds no PostgreSQL database. Move it away and start again.`,
    );
  }
  if (made === major) return;
  throw new EmbeddedPostgresError(
    `The database in ${database} is PostgreSQL ${made}'s, and this Switchyard brings PostgreSQL ${major}. Start the ` +
      `Switchyard that made it and copy the data with pg_dump, or move the folder away to begin with an empty one.`,
  );
}

/** The server left running by a hub that was killed, once it is ready; nothing when it is about to end. */
async function adopt({ database }: Place, account: Account, log: (message: string) => void) {
  const orphan = await findPostmaster(database, account);
  return orphan && becomeReady(database, orphan.pid, () => false, log);
}

/** The first of this hub: it chooses where the socket is. */
async function launchFirst(
  place: Place,
  account: Account,
  start: (folder: string) => Promise<Postmaster>,
): Promise<Postmaster> {
  const folder = socketFolder(place, account);
  try {
    return await start(folder);
  } catch (error) {
    removeSocketFolder(folder);
    throw error;
  }
}

interface Launch {
  place: Place;
  account: Account;
  binaries: Binaries;
  settings: Settings;
  /** Of the socket. */
  folder: string;
  log: (message: string) => void;
}

async function launch({ place, account, binaries, settings, folder, log }: Launch): Promise<Postmaster> {
  // Quoted, for PostgreSQL takes a list here, with commas.
  const socket = { unix_socket_directories: `"${folder.replaceAll('"', '""')}"` };
  const output = openSync(place.log, 'a', 0o600);
  // Detached into a session of its own, so that Ctrl-C, which signals the whole process group, and a closed
  // terminal end the hub and not the database under it.
  const child = spawn(binaries.postgres, ['-D', place.database, ...asArguments({ ...settings, ...socket })], {
    ...options(account),
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  child.unref();
  let exited = false;
  child.once('error', () => (exited = true));
  child.once('exit', () => (exited = true));
  const server = await becomeReady(place.database, child.pid ?? 0, () => exited, log);
  if (server) return server;
  throw new EmbeddedPostgresError(
    `PostgreSQL did not start. The end of ${place.log}:\n${lastLines(place.log)}`,
  );
}
