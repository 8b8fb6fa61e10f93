import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { limits } from '@switchyard/shared/limits';

/** The folder that paths are relative to: the nearest above that has `.git` (a file in a worktree), else the folder itself. */
export function repositoryRoot(folder: string): string {
  const start = realpathOf(resolve(folder));
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(resolve(at, '.git'))) return at;
    if (at === dirname(at)) return start;
  }
}

/** With links followed as far as there is something. */
export function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : resolve(realpathOf(above), basename(path));
  }
}

/** Where clients say which folder they were opened in; Cursor's servers are told by setup. */
const folderVariables: Record<string, string> = {
  claude: 'CLAUDE_PROJECT_DIR',
  cursor: 'CURSOR_PROJECT_DIR',
  gemini: 'GEMINI_PROJECT_DIR',
};

/** The folder that a client was opened in, as its hooks and its server both find it; undefined when it does not say. */
export function clientFolder(client: string, env: NodeJS.ProcessEnv): string | undefined {
  return env.SWITCHYARD_ROOT || env[folderVariables[client] ?? ''] || undefined;
}

/**
 * The name that a coding agent goes by, the same for its MCP server, its hooks and what it types in a shell:
 * SWITCHYARD_AGENT, or made of the client, the repository's folder and the machine. A file that is committed cannot
 * hold it, because it is read on every machine.
 *
 *     clientAgentName('claude', '/home/anna/shop') // 'claude-shop-5f0c@laptop'
 */
export function clientAgentName(
  client: string,
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): string {
  if (env.SWITCHYARD_AGENT) return env.SWITCHYARD_AGENT;
  const root = repositoryRoot(folder);
  // Two clones may have one name.
  const mark = createHash('sha256').update(root).digest('hex').slice(0, 4);
  const name = basename(root).replace(/[^\w.-]+/g, '_') || 'root';
  return `${client}-${name}-${mark}@${hostname()}`.slice(0, limits.agentIdLength);
}

/** Who acts, as far as the environment says: SWITCHYARD_AGENT, or the client that setup wrote into it. */
export function agentNameIn(env: NodeJS.ProcessEnv): string | undefined {
  const { SWITCHYARD_AGENT: agent, SWITCHYARD_CLIENT: client } = env;
  if (agent || !client) return agent || undefined;
  return clientAgentName(client, clientFolder(client, env) ?? process.cwd(), env);
}
