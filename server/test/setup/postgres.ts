// One embedded PostgreSQL for the whole test run, in a temporary folder. Tests reach it with
// inject('postgres'), and make databases of their own in it.
import { chmodSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../postgres/cluster.ts';
import type { EmbeddedPostgres } from '../../postgres/cluster.ts';
import { isAlive, readPidFile, stopPostmaster } from '../../postgres/postmaster.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: EmbeddedPostgres['connection'];
  }
}

/** Temporary folders of tests begin like this and go on with the id of the process that made them. */
const FOLDER = 'switchyard-test-';

/** Starts the database; what it returns stops it and deletes it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const dataDir = temporaryFolder();
  const database = await startEmbeddedPostgres({
    dataDir,
    log: (message) => console.log(message),
    // Nothing here outlives the run, so nothing waits for the disk.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
  });
  project.provide('postgres', database.connection);
  // Ctrl-C makes Vitest exit at once, without calling what is returned here.
  const abandon = (): void => {
    const server = readPidFile(join(dataDir, 'postgres/data'));
    if (server) process.kill(server.pid, 'SIGQUIT'); // the quick way; nobody needs what is in it
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 });
  };
  process.once('exit', abandon);
  return async () => {
    await database.stop();
    abandon();
  };
}

/** A folder to be deleted by the test that asks for it; should that be killed, by the next run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), `${FOLDER}${process.pid}-`));
  chmodSync(folder, 0o755); // PostgreSQL's account works in it when root runs the tests
  return folder;
}

// What runs that were killed left behind, servers and all.
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(FOLDER) || isAlive(parseInt(name.slice(FOLDER.length)))) continue;
    const folder = join(tmpdir(), name);
    for (const database of [join(folder, 'postgres/data'), join(folder, 'data/postgres/data')]) {
      const server = readPidFile(database);
      if (server) await stopPostmaster(database, server.pid);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}
