import { readdir, readFile } from 'node:fs/promises';
import { connect, type Address } from './database.ts';

const folder = new URL('../../sql/', import.meta.url);
const advisoryLock = 0x5357_5944; // "SWYD"
const oldestServer = 150_000;

interface Migration {
  version: number;
  name: string;
}

/** The numbered files of `sql/`, in order. */
async function known(): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{3}_.*\.sql$/.test(name)).sort();
  return names.map((name) => ({ version: Number(name.slice(0, 3)), name }));
}

/**
 * Brings the schema up to this version of Switchyard: one transaction under an advisory lock, so that hubs which
 * start together migrate once, and one that is killed midway leaves nothing behind. Forward only.
 * Throws, with what to do, when the database has a newer schema or is too old a PostgreSQL.
 */
export async function migrate(address: Address, log: (message: string) => void = () => {}): Promise<void> {
  const migrations = await known();
  const newest = migrations.at(-1)?.version ?? 0;
  const sql = connect(address, {
    max: 1,
    name: 'switchyard migrate',
    // It waits for the lock, and must then see what another hub has migrated meanwhile.
    settings: { default_transaction_isolation: 'read committed' },
  });
  try {
    await sql.begin(async (tx) => {
      await tx`SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true)`;
      await tx`SELECT pg_advisory_xact_lock(${advisoryLock})`;
      const [server] = await tx<{ number: number; name: string }[]>`
        SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name`;
      if (server!.number < oldestServer) {
        throw new Error(`PostgreSQL ${server!.name} is too old for Switchyard: it needs 15 or later.`);
      }
      await tx`CREATE TABLE IF NOT EXISTS schema_migrations (
        version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp())`;
      const [row] = await tx<
        { version: number }[]
      >`SELECT coalesce(max(version), 0)::int AS version FROM schema_migrations`;
      const applied = row!.version;
      if (applied > newest) {
        throw new Error(
          `The database has schema version ${applied}, and this Switchyard knows up to ${newest}. ` +
            'It was migrated by a newer Switchyard: start that one, or point DATABASE_URL at another database.',
        );
      }
      for (const { version, name } of migrations.filter((one) => one.version > applied)) {
        log(`Migrating the database: ${name}`);
        await tx.unsafe(await readFile(new URL(name, folder), 'utf8'));
        await tx`INSERT INTO schema_migrations (version, name) VALUES (${version}, ${name})`;
      }
    });
  } finally {
    await sql.end({ timeout: 2 });
  }
}
