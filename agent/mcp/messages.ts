// What the bridge says itself, and what it adds to what it passes on.
import { randomUUID } from 'node:crypto';
import {
  LATEST_PROTOCOL_VERSION,
  SUPPORTED_PROTOCOL_VERSIONS,
  type InitializeRequest,
  type InitializeResult,
  type JSONRPCRequest,
} from '@modelcontextprotocol/sdk/types.js';
import type { Refusal } from '@switchyard/shared/errors';
import { instructions, mcpMeta } from '@switchyard/shared/mcp';

/** Under an id of its own, so that it may be sent again. */
export function repeatable(request: JSONRPCRequest): JSONRPCRequest {
  const _meta = { ...request.params?._meta, [mcpMeta.request]: randomUUID() };
  return { ...request, params: { ...request.params, _meta } };
}

/** A wait that was broken off goes on for what is left of it. */
export function remaining(request: JSONRPCRequest, sinceMs: number): JSONRPCRequest {
  const { params } = request as { params?: { name?: string; arguments?: { wait_seconds?: number } } };
  const asked = params?.arguments?.wait_seconds;
  if (params?.name !== 'wait_for_item' || typeof asked !== 'number') return request;
  const wait_seconds = Math.max(0, asked - Math.round((performance.now() - sinceMs) / 1_000));
  return {
    ...request,
    params: { ...params, arguments: { ...params.arguments, wait_seconds } },
  };
}

export function refused(refusal: Refusal): object {
  const hint =
    refusal.code === 'UNAVAILABLE'
      ? ' Start it (npm start in its folder), or ask the user to; then repeat this call. What you hold stays yours for some minutes.'
      : '';
  const error = { ...refusal.toJSON(), message: refusal.message + hint };
  return {
    content: [{ type: 'text', text: `${error.code}: ${error.message}` }],
    structuredContent: { error },
    isError: true,
  };
}

/** What the hub would answer. */
export function welcomeFor({ protocolVersion }: InitializeRequest['params']): InitializeResult {
  return {
    protocolVersion: SUPPORTED_PROTOCOL_VERSIONS.includes(protocolVersion)
      ? protocolVersion
      : LATEST_PROTOCOL_VERSION,
    capabilities: { tools: {} },
    serverInfo: { name: 'switchyard', version: '1' },
    instructions,
  };
}
