// The entries that docs/mcp.md shows for each client, tried as the client would.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { parse as parseToml } from 'smol-toml';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken, call, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { connectMcp, connectOver } from '../../server/test/setup/mcp.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const page = readFileSync(file('../../docs/mcp.md'), 'utf8');

interface Entry {
  command?: string;
  args?: string[];
  url?: string;
  httpUrl?: string;
  headers?: Record<string, string>;
  bearer_token_env_var?: string;
}

const entries = [...page.matchAll(/```(json|toml)\n([^]*?)```/g)].map(([, language, text = '']): Entry => {
  const config = language === 'json' ? (JSON.parse(text) as object) : parseToml(text);
  const servers = Object.values(config)[0] as { switchyard: Entry };
  return servers.switchyard;
});

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
  await call(hub, 'project.create', { name: 'shop' });
  await call(hub, 'project.create', { name: 'other' });
});
afterAll(() => hub.stop());

/** As each client puts a variable in: `${NAME}`, `${env:NAME}`, `$NAME`. */
const withToken = (text: string) => text.replace(/\$(\{(env:)?)?SWITCHYARD_TOKEN\}?/, adminToken);

async function connect(entry: Entry) {
  const address = entry.url ?? entry.httpUrl;
  if (address !== undefined) {
    const { pathname, search } = new URL(address);
    const said = entry.headers?.Authorization ?? `Bearer $${entry.bearer_token_env_var}`;
    const [, token] = withToken(said).split('Bearer ');
    expect(pathname).toBe('/mcp');
    return connectMcp(hub, { token, query: search });
  }
  expect(entry.command).toBe('switchyard');
  const env = { PATH: process.env.PATH!, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken };
  return connectOver(
    new StdioClientTransport({ command: process.execPath, args: [file('../bin.mjs'), ...entry.args!], env }),
  );
}

test('[MC8] two for each of four clients', () => expect(entries).toHaveLength(8));

const named = entries.map((entry) => ({ entry, way: entry.command ?? 'an address' }));

test.each(named)('[MC8] the entry with $way leads to the project', async ({ entry }) => {
  const client = await connect(entry);
  const made = await client.tool('create_items', { items: [{ title: 'some work' }] });
  expect(made.items).toHaveLength(1);
  const { items } = await call(hub, 'item.list', { project: 'shop' });
  expect(items.map(({ id }) => id)).toContain(made.items![0]!.id);
});
