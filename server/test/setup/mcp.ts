// An MCP client as agents' programs are: the official SDK's, over HTTP or over the stdio of a child process.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { onTestFinished } from 'vitest';
import type { WireError } from '@switchyard/shared/errors';
import type { Conflict, Item } from '@switchyard/shared/item';
import { adminToken } from './hub.ts';

/** What tools answer, as far as tests look at it. */
export interface Said {
  item?: Partial<Item>;
  items?: Partial<Item>[];
  total?: number;
  claim?: { item: Partial<Item>; attempt: number; lease_expires_at: string } | null;
  conflicts?: Conflict[];
  next?: { claim: { item: Partial<Item>; attempt: number } | null };
  notices?: { kind: string; number: number; message: string }[];
  error?: WireError;
  waited_seconds?: number;
}

export interface ToolResult extends Said {
  text: string;
  isError: boolean;
}

export interface McpClient {
  client: Client;
  transport: Transport;
  tool(name: string, args?: Record<string, unknown>, options?: RequestOptions): Promise<ToolResult>;
}

export interface HttpMcpOptions {
  token?: string;
  /** After /mcp. */
  query?: string;
  headers?: Record<string, string>;
  name?: string;
  /** Listens to nothing the hub might say by itself, as some clients do. */
  deaf?: boolean;
}

/** Connects over Streamable HTTP; closed when the test ends. */
export async function connectMcp(hub: { url: string }, options: HttpMcpOptions = {}): Promise<McpClient> {
  const { token = adminToken, query = '', headers = {} } = options;
  const transport = new StreamableHTTPClientTransport(new URL(`/mcp${query}`, hub.url), {
    requestInit: { headers: { authorization: `Bearer ${token}`, ...headers } },
    ...(options.deaf && { fetch: fetchWithoutStream }),
  });
  return connectOver(transport, options.name);
}

const fetchWithoutStream: typeof fetch = (url, init) =>
  init?.method === 'GET' ? Promise.resolve(new Response(null, { status: 405 })) : fetch(url, init);

export async function connectOver(transport: Transport, name = 'Test Client'): Promise<McpClient> {
  const client = new Client({ name, version: '1' });
  onTestFinished(() => client.close());
  await client.connect(transport);
  const tool: McpClient['tool'] = async (called, args = {}, options = {}) => {
    const result = (await client.callTool(
      { name: called, arguments: args },
      undefined,
      options,
    )) as CallToolResult;
    const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('');
    return { ...(result.structuredContent as Said), text, isError: result.isError ?? false };
  };
  return { client, transport, tool };
}

/** Begins three waits for an item and cancels them, once the hub has heard of both. */
export async function giveUpThreeWaits(agent: McpClient): Promise<void> {
  const giveUp = new AbortController();
  const wait = () => agent.tool('wait_for_item', { wait_seconds: 40 }, { signal: giveUp.signal });
  const given = Promise.allSettled([wait(), wait(), wait()]);
  await agent.tool('ready_items');
  giveUp.abort();
  await given;
  await agent.tool('ready_items');
}
