import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { checkoutRoot } from './checkout.ts';

export interface HubAddress {
  url: string;
  token: string;
}

/** No address or no way in. The message says what to set. */
export class NoHub extends Error {
  override readonly name = 'NoHub';
}

/**
 * Where the hub is and a token for it: `SWITCHYARD_URL` and `SWITCHYARD_TOKEN`, or on the hub's own machine what
 * the hub left in its data directory. Throws `NoHub`.
 *
 *     const { url, token } = findHub();
 */
export function findHub(env: NodeJS.ProcessEnv = process.env): HubAddress {
  const url = urlOfHub(env);
  return { url, token: env.SWITCHYARD_TOKEN || adminToken(url, env) };
}

/** Where the hub is, without a way in. Throws `NoHub` for an address that is none. */
export function urlOfHub(env: NodeJS.ProcessEnv = process.env): string {
  const url = env.SWITCHYARD_URL || `http://127.0.0.1:${env.SWITCHYARD_PORT || 4800}`;
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    throw new NoHub(`"${url}" is no address of a hub: use http://host:port.`);
  // People take the address of a page; a hub is at the root of its own.
  return parsed.origin;
}

function adminToken(url: string, env: NodeJS.ProcessEnv): string {
  // The token of the hub on this machine is nobody else's business.
  if (!isLoopback(new URL(url).hostname))
    throw new NoHub(`Set SWITCHYARD_TOKEN to a token of the hub at ${url}.`);
  const file = tokenFile(env);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new NoHub(`There is no token in ${file}. Start the hub with npm start, or set SWITCHYARD_TOKEN.`);
  }
}

const name = '.switchyard/admin-token';

/**
 * Where a hub on this machine leaves its token: in its data directory, which lies in its checkout. A program that was
 * installed alone knows of no checkout and looks in the folder it is called in and those above.
 */
function tokenFile(env: NodeJS.ProcessEnv): string {
  const root = checkoutRoot();
  if (env.SWITCHYARD_DATA_DIR) return resolve(root ?? '', env.SWITCHYARD_DATA_DIR, 'admin-token');
  if (root !== null) return join(root, name);
  for (let folder = resolve(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return join(folder, name);
    if (folder === dirname(folder)) return resolve(name);
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
