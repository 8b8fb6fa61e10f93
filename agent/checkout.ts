import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The checkout of Switchyard that this program belongs to; null where its package was installed alone. */
export function checkoutRoot(): string | null {
  // What is built for publishing has no sources beside it, and a name of its own may lie anywhere above it.
  const here = import.meta.filename;
  const root = dirname(dirname(here));
  return here.endsWith('.ts') && existsSync(join(root, 'server/main.ts')) ? root : null;
}
