import { mkdirSync, openSync, readFileSync, writeSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { newSecret } from './domain/tokens.ts';

const fileName = 'admin-token';

/** The operator token that clients on the hub's own machine find by themselves: kept in the data directory, mode 0600. */
export function adminTokenIn(dataDir: string): string {
  const path = join(dataDir, fileName);
  // As root, PostgreSQL's account must be able to pass through (see postgres/place.ts).
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept) return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const secret = newSecret();
  const file = openSync(path, 'w', 0o600);
  writeSync(file, `${secret}\n`);
  closeSync(file);
  return secret;
}
