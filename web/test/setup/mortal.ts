// A hub that a test may kill, on the run's PostgreSQL, and others on the same database.
import { startChildHub } from '../../../server/test/setup/child-hub.ts';
import { createDatabase } from '../../../server/test/setup/hub.ts';
import { startProxy } from '../../../server/test/setup/tcp-proxy.ts';

export async function mortalHubs() {
  const database = await createDatabase();
  // By TCP: the database itself may listen on a socket in a folder only.
  const proxy = await startProxy(database);
  const urlOf = (name: string) => `postgres://${database.user}@127.0.0.1:${proxy.port}/${name}`;
  return {
    database,
    /** One more hub; on a port of its own choice, or where one was that has gone. */
    start: ({ port, name = database.database }: { port?: number; name?: string } = {}) =>
      startChildHub({ databaseUrl: urlOf(name), ...(port ? { port } : {}) }),
  };
}
