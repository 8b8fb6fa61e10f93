import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

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
  const url = env.SWITCHYARD_URL || `http://127.0.0.1:${env.SWITCHYARD_PORT || 4800}`;
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new NoHub(`SWITCHYARD_URL is no address: "${url}". Use http://host:port.`);
  return { url, token: env.SWITCHYARD_TOKEN || adminToken(url, env) };
}

function adminToken(url: string, env: NodeJS.ProcessEnv): string {
  // The token of the hub on this machine is nobody else's business.
  if (!isLoopback(new URL(url).hostname))
    throw new NoHub(`Set SWITCHYARD_TOKEN to a token of the hub at ${url}.`);
  const root = resolve(import.meta.dirname, '..');
  const file = resolve(root, env.SWITCHYARD_DATA_DIR || '.switchyard', 'admin-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new NoHub(`There is no token in ${file}. Start the hub with npm start, or set SWITCHYARD_TOKEN.`);
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
