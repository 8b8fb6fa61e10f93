import { resolve } from 'node:path';
import { clientFolder } from '../agent-name.ts';
import type { Client } from '../client-names.ts';
import { patchedFiles } from './patch.ts';

export const hookEvents = ['session-start', 'pre-edit', 'post-edit', 'stop'] as const;
export type HookEvent = (typeof hookEvents)[number];

/** What a client says when it runs a hook, in one form for all of them. */
export interface HookInput {
  /** The folder that the client was opened in, or works in. */
  readonly folder: string;
  /** Absolute paths of the files that are, or were, edited. */
  readonly files: readonly string[];
  /** Stopping was refused once, or the turn did not end by itself: it is not to be held up. */
  readonly mayStop: boolean;
  /** Another client runs the hook, from a file that is not its own. */
  readonly isForeign: boolean;
}

type Fields = Record<string, unknown>;

/** Reads the JSON of any of the clients. Fields that are missing are taken as not said. Throws a `SyntaxError`. */
export function readHookInput(client: Client, json: string, env: NodeJS.ProcessEnv, here: string): HookInput {
  const input = fieldsOf(JSON.parse(json));
  const roots = Array.isArray(input.workspace_roots) ? input.workspace_roots : [];
  const worksIn = textOf(input.cwd) ?? textOf(roots[0]) ?? here;
  const folder = clientFolder(client, env) ?? textOf(roots[0]) ?? worksIn;
  return {
    folder: resolve(folder),
    files: filesOf(fieldsOf(input.tool_input)).map((file) => resolve(worksIn, file)),
    mayStop: mayStop(input),
    // Cursor also runs the hooks of Claude Code's settings; it has hooks of its own for this.
    isForeign: client !== 'cursor' && input.cursor_version !== undefined,
  };
}

/** The names that the clients' tools have for a file; Codex has a whole patch. */
function filesOf(tool: Fields): string[] {
  const named = ['file_path', 'notebook_path', 'path', 'target_file'].flatMap(
    (name) => textOf(tool[name]) ?? [],
  );
  return [...new Set([...named, ...patchedFiles(textOf(tool.command) ?? '')])];
}

function mayStop({ stop_hook_active, loop_count, status }: Fields): boolean {
  const wasHeldUp = stop_hook_active === true || (typeof loop_count === 'number' && loop_count > 0);
  return wasHeldUp || (typeof status === 'string' && status !== 'completed');
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
