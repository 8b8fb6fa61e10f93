import { once } from 'node:events';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { Bridge, type BridgeOptions } from './bridge.ts';

/**
 * Serves the MCP client that started this process, by its standard streams, until it closes them or ends us. Nothing else
 * may be written to stdout.
 *
 *     await serveStdio({ address: findHub, project: 'shop', agent: undefined, say: console.error });
 */
export async function serveStdio(options: BridgeOptions): Promise<void> {
  const bridge = new Bridge(new StdioServerTransport(), options);
  const ended = Promise.race([
    once(process.stdin, 'end'),
    once(process.stdin, 'close'),
    once(process, 'SIGTERM'),
    once(process, 'SIGINT'),
  ]);
  await bridge.start();
  await ended;
  await bridge.stop();
}
