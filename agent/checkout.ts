import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout of Switchyard that this program belongs to; null where its package was installed alone. */
export function checkoutRoot(): string | null {
  const root = dirname(import.meta.dirname);
  return existsSync(join(root, 'server/main.ts')) ? root : null;
}
