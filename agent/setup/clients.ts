// What each client reads. The formats are those of the clients' manuals; docs/setup.md says where they stand.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  jsonHook,
  jsonServer,
  tomlServer,
  withVersion,
  type HookFields,
  type ServerFields,
} from './entries.ts';
import type { Entry, FilePlan } from './entry.ts';
import type { Client } from './client-names.ts';
import { agentsBlock, importPlan, readsAgentsFile } from './instructions.ts';
import { launchLine, launchWords, shellWord, type Launcher } from './launcher.ts';

export interface SetupTarget {
  /** The repository's folder. */
  readonly folder: string;
  readonly project: string;
  /** Written only when it was given: without it the client's environment, or the hub of the machine, decides. */
  readonly url?: string | undefined;
  readonly launcher: Launcher;
  readonly env: NodeJS.ProcessEnv;
  /** Codex: the server goes into the repository's own file instead of the one of the home folder. */
  readonly local?: boolean | undefined;
}

const hookSeconds = 10;
const claudeEdits = 'Edit|Write|MultiEdit|NotebookEdit';

/** The files of a client, and what is to be in them. */
export function plansOf(client: Client, target: SetupTarget): FilePlan[] {
  const own = plansFor[client](target);
  const agents = {
    path: join(target.folder, 'AGENTS.md'),
    shown: 'AGENTS.md',
    entries: [agentsBlock(client, target.project, target.launcher)],
  };
  return [...own, agents, ...importsFor(client, target)];
}

function importsFor(client: Client, { folder, env }: SetupTarget): FilePlan[] {
  // Codex and Cursor read AGENTS.md by themselves.
  if (client === 'claude')
    return present(importPlan(folder, client, ['CLAUDE.md', '.claude/CLAUDE.md'], '@AGENTS.md'));
  const settings = [folder, homeOf(env)].map((one) => join(one, '.gemini/settings.json'));
  if (client !== 'gemini' || settings.some(readsAgentsFile)) return [];
  return present(importPlan(folder, client, ['GEMINI.md'], '@./AGENTS.md'));
}

const present = (plan: FilePlan | null) => (plan ? [plan] : []);

const plansFor: Record<Client, (target: SetupTarget) => FilePlan[]> = {
  claude: (target) => [
    plan(target, '.mcp.json', [jsonServer({ type: 'stdio', ...serverOf('claude', target) })]),
    plan(
      target,
      '.claude/settings.json',
      groupedHooks('claude', target, '"$CLAUDE_PROJECT_DIR"/', hookSeconds, [
        ['SessionStart', 'session-start'],
        ['PreToolUse', 'pre-edit', claudeEdits],
        ['PostToolUse', 'post-edit', claudeEdits],
        ['Stop', 'stop'],
      ]),
    ),
  ],
  gemini: (target) => [
    plan(target, '.gemini/settings.json', [
      jsonServer(geminiServer(target)),
      ...groupedHooks('gemini', target, '"$GEMINI_PROJECT_DIR"/', hookSeconds * 1_000, [
        ['SessionStart', 'session-start'],
        ['BeforeTool', 'pre-edit', 'write_file|replace'],
        ['AfterTool', 'post-edit', 'write_file|replace'],
        ['AfterAgent', 'stop'],
      ]),
    ]),
  ],
  cursor: (target) => [
    plan(target, '.cursor/mcp.json', [jsonServer({ type: 'stdio', ...cursorServer(target) })]),
    plan(target, '.cursor/hooks.json', cursorHooks(target)),
  ],
  codex: (target) => [
    codexConfig(target),
    plan(
      target,
      '.codex/hooks.json',
      groupedHooks('codex', target, codexRoot(target), hookSeconds, [
        ['SessionStart', 'session-start'],
        ['PreToolUse', 'pre-edit', 'apply_patch|Edit|Write'],
        ['PostToolUse', 'post-edit', 'apply_patch|Edit|Write'],
        ['Stop', 'stop'],
      ]),
    ),
  ],
};

function plan({ folder }: SetupTarget, shown: string, entries: Entry[]): FilePlan {
  return { path: join(folder, shown), shown, entries };
}

/** No token: these files are committed, and `switchyard mcp` finds its own. */
function serverOf(client: Client, { launcher, project, url }: SetupTarget): ServerFields {
  const [command = '', ...args] = [...launchWords(launcher), 'mcp'];
  const env = {
    SWITCHYARD_PROJECT: project,
    SWITCHYARD_CLIENT: client,
    ...(url ? { SWITCHYARD_URL: url } : {}),
  };
  return { command, args, env };
}

/** Cursor starts servers in no particular folder, but fills in where the workspace is. */
function cursorServer(target: SetupTarget): ServerFields {
  const { command, args, env } = serverOf('cursor', target);
  const root = { ...env, SWITCHYARD_ROOT: '${workspaceFolder}' };
  if (target.launcher.kind !== 'local') return { command, args, env: root };
  return { command: 'node', args: ['${workspaceFolder}/node_modules/.bin/switchyard', 'mcp'], env: root };
}

/** Gemini CLI keeps variables that look like secrets from a server, unless they are named: a reference, not the token. */
function geminiServer(target: SetupTarget): ServerFields {
  const server = serverOf('gemini', target);
  return { ...server, env: { ...server.env, SWITCHYARD_TOKEN: '${SWITCHYARD_TOKEN:-}' } };
}

/** Codex hands a server only the variables that it is told to. */
function codexConfig(target: SetupTarget): FilePlan {
  const forwarded = ['SWITCHYARD_AGENT', 'SWITCHYARD_TOKEN', ...(target.url ? [] : ['SWITCHYARD_URL'])];
  const entry = tomlServer({ ...serverOf('codex', target), env_vars: forwarded });
  if (target.local) return plan(target, '.codex/config.toml', [entry]);
  const home = target.env.CODEX_HOME || join(homeOf(target.env), '.codex');
  const shown = target.env.CODEX_HOME ? join(home, 'config.toml') : '~/.codex/config.toml';
  return { path: join(home, 'config.toml'), shown, entries: [entry] };
}

/** Codex runs hooks wherever its session is, and names no folder. */
function codexRoot({ folder }: SetupTarget): string | undefined {
  return existsSync(join(folder, '.git')) ? '"$(git rev-parse --show-toplevel)"/' : undefined;
}

function homeOf(env: NodeJS.ProcessEnv): string {
  return env.HOME || homedir();
}

/** The words that a hook runs behind the launcher, by which it is known again. */
function hookWords(client: Client, event: string): string {
  return `hook ${event} --client ${client}`;
}

function hookLine(client: Client, event: string, target: SetupTarget, root?: string): string {
  const { launcher, project, url } = target;
  const more = ['--project', project, ...(url ? ['--url', url] : [])].map(shellWord).join(' ');
  return `${launchLine(launcher, root)} ${hookWords(client, event)} ${more}`;
}

/** The form that Claude Code, Codex and Gemini CLI share: groups of hooks, each with what it matches. */
function groupedHooks(
  client: Client,
  target: SetupTarget,
  root: string | undefined,
  timeout: number,
  events: readonly (readonly [name: string, event: string, matcher?: string])[],
): Entry[] {
  return events.map(([name, event, matcher]) =>
    jsonHook({
      event: name,
      words: hookWords(client, event),
      element: {
        ...(matcher === undefined ? {} : { matcher }),
        hooks: [{ type: 'command', command: hookLine(client, event, target, root), timeout }],
      },
    }),
  );
}

function cursorHooks(target: SetupTarget): Entry[] {
  // Cursor runs a project's hooks in the project's folder.
  const hook = (event: string, name: string, more: Record<string, unknown> = {}): HookFields => ({
    event: name,
    words: hookWords('cursor', event),
    element: { command: hookLine('cursor', event, target, ''), timeout: hookSeconds, ...more },
  });
  return [
    hook('session-start', 'sessionStart'),
    hook('pre-edit', 'preToolUse', { matcher: 'Write|Delete' }),
    hook('post-edit', 'postToolUse', { matcher: 'Write|Delete' }),
    // Cursor counts the follow-ups itself; more than one would be nagging.
    hook('stop', 'stop', { loop_limit: 1 }),
  ].map((fields) => withVersion(jsonHook(fields)));
}
