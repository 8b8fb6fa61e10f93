// A process that owns an embedded PostgreSQL as a hub does, for tests that kill it. Says what happens on its
// standard output, one JSON object a line. Arguments: data directory, folder for what root cannot keep there.
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../../postgres/cluster.ts';

const [dataDir = '', rootFolder] = process.argv.slice(2);
const say = (what: object): boolean => process.stdout.write(`${JSON.stringify(what)}\n`);

process.once('disconnect', () => process.exit(1)); // the test is gone

try {
  const database = await startEmbeddedPostgres({ dataDir, rootFolder, settings: { fsync: 'off' } });
  const sql = postgres({ ...database.connection, max: 1 });
  const [found] = await sql`select pg_backend_pid(), current_setting('data_directory') as place`;
  process.once('SIGINT', () => void shutDown());
  say({
    ready: true,
    adopted: database.adopted,
    connection: database.connection,
    place: found?.place as string,
  });

  const shutDown = async (): Promise<void> => {
    // Long enough for a PostgreSQL that heard the signal too to have ended this session.
    await sql`select pg_sleep(0.3)`.then(
      () => say({ survived: true }),
      (error: Error) => say({ survived: false, error: error.message }),
    );
    await sql.end();
    await database.stop();
    say({ stopped: true });
    process.disconnect();
  };
} catch (error) {
  say({ error: String(error) });
  process.exit(1);
}
