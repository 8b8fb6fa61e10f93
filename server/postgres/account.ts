// PostgreSQL refuses to run as root. A hub started by root runs it as somebody without rights instead.
import { execFile, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from './errors.ts';

/** Who runs PostgreSQL. Without ids it is the hub's own account. */
export interface Account {
  name: string;
  uid?: number;
  gid?: number;
}

const run = promisify(execFile);

// Nothing of the hub's environment reaches PostgreSQL: PGDATA, PGPORT, LD_LIBRARY_PATH or a locale that this
// machine lacks would change what it does.
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/**
 * The account to run PostgreSQL as: the hub's own, or for a hub started by root the owner of the database, and
 * `nobody` for a new one.
 * @param database folder of the database, which need not exist
 * @throws EmbeddedPostgresError when the database is another account's, or root finds nobody to run it as
 */
export function chooseAccount(database: string): Account {
  const owner = statSync(database, { throwIfNoEntry: false });
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner && owner.uid !== self) {
      throw new EmbeddedPostgresError(
        `The database in ${database} belongs to the account '${nameOf(owner.uid)}'. Start Switchyard as the ` +
          `user who started it first (often root), or give the folder to this account with chown -R.`,
      );
    }
    return { name: nameOf(self) };
  }
  if (owner && owner.uid !== 0) return { name: nameOf(owner.uid), uid: owner.uid, gid: owner.gid };
  for (const name of ['nobody', 'daemon']) {
    const [uid, gid] = [lookUp('-u', name), lookUp('-g', name)];
    // "| 0": on macOS nobody is -2, written without its sign.
    if (uid && gid) return { name, uid: Number(uid) | 0, gid: Number(gid) | 0 };
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and this machine has neither an account 'nobody' nor 'daemon' to run it ` +
      `as. Start Switchyard as an ordinary user, or set DATABASE_URL to a PostgreSQL of yours.`,
  );
}

/** Whether the account passes `flag` of test(1), such as -x or -r, on every one of the paths. */
export function can(account: Account, flag: '-x' | '-r', ...paths: string[]): boolean {
  // Asked of the system as that account: mode bits alone know nothing of ACLs and read-only mounts.
  const script = `for path in "$@"; do test ${flag} "$path" || exit 1; done`;
  return spawnSync('/bin/sh', ['-c', script, 'sh', ...paths], options(account)).status === 0;
}

/**
 * Runs a program as the account and waits for it.
 * @returns its output
 * @throws what execFile throws; its `stderr` says why
 */
export async function runAs(account: Account, program: string, args: string[]): Promise<string> {
  return (await run(program, args, options(account))).stdout;
}

/** How a child process becomes the account, in no folder of ours and with an environment of its own. */
export function options(account: Account): {
  cwd: string;
  env: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
} {
  return { cwd: '/', env: ENVIRONMENT, uid: account.uid, gid: account.gid };
}

function nameOf(uid: number | undefined): string {
  return lookUp('-un', String(uid)) ?? String(uid);
}

function lookUp(flag: '-u' | '-g' | '-un', account: string): string | undefined {
  const { status, stdout } = spawnSync('id', [flag, account], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
