import type { Sql } from '../db/database.ts';

/** What time it is: the clock by which everything is decided. */
export async function readClock(sql: Sql): Promise<string> {
  const [clock] = await sql<{ now: string }[]>`SELECT iso(clock_timestamp()) AS now`;
  return clock!.now;
}
