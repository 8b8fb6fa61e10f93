// The hooks as clients run them: a process of its own, JSON on stdin and stdout, and a real hub.
import { execFile, execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '@switchyard/shared/item';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { eventsOf, get, httpAgent, make } from '../../server/test/setup/work.ts';
import { primeText } from '../cli/prime.ts';
import { clientAgentName } from '../setup/agent-name.ts';
import type { Client } from '../setup/client-names.ts';
import { answerHook } from '../setup/hooks/hook.ts';
import { bin, Repository } from './setup-repository.ts';

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

interface Answer {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What the client reads; undefined when nothing was said. */
  json: Record<string, unknown> | undefined;
}

/** One repository, one project, and one client at work in it. */
class Desk {
  readonly repository = new Repository();
  readonly client: Client;
  readonly project: string;
  readonly agentId: string;

  constructor(client: Client, project: string) {
    this.client = client;
    this.project = project;
    this.agentId = clientAgentName(client, this.repository.folder, {});
  }

  path(file: string): string {
    return join(this.repository.folder, file);
  }

  /** Claude Code's hooks run as a process of their own; the others, which differ only in their words, in this one. */
  async hook(event: string, input: Record<string, unknown>, more: NodeJS.ProcessEnv = {}): Promise<Answer> {
    const { SWITCHYARD_AGENT: _, ...rest } = process.env;
    const env = { ...rest, SWITCHYARD_URL: hub.url, SWITCHYARD_TOKEN: adminToken, ...more };
    const json = JSON.stringify({ session_id: 's-1', cwd: this.repository.folder, ...input });
    const { code, stdout, stderr } = await (this.client === 'claude'
      ? this.#runHook(event, json, env)
      : this.#answerHook(event, json, env));
    return { code, stdout, stderr, json: stdout === '' ? undefined : (JSON.parse(stdout) as Answer['json']) };
  }

  #runHook(event: string, json: string, env: NodeJS.ProcessEnv): Promise<Omit<Answer, 'json'>> {
    const args = [bin, 'hook', event, '--client', this.client, '--project', this.project];
    return new Promise((resolve) => {
      const { folder } = this.repository;
      const child = execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) =>
        resolve({ code: error ? (error.code as number) : 0, stdout, stderr }),
      );
      child.stdin!.end(json);
    });
  }

  async #answerHook(event: string, json: string, env: NodeJS.ProcessEnv): Promise<Omit<Answer, 'json'>> {
    const { client, project } = this;
    const { folder } = this.repository;
    const answer = await answerHook({
      event,
      client,
      project,
      url: undefined,
      json,
      env,
      folder,
      prime: primeText,
    });
    return { code: 0, stdout: answer.stdout, stderr: answer.stderr };
  }

  edit(event: 'pre-edit' | 'post-edit', file: string, env?: NodeJS.ProcessEnv): Promise<Answer> {
    const tool = {
      tool_name: 'Edit',
      tool_input: { file_path: this.path(file), old_string: 'a', new_string: 'b' },
    };
    return this.hook(event, tool, env);
  }

  get holder() {
    return httpAgent(hub, this.agentId);
  }
}

async function desk(client: Client, policy: 'warn' | 'deny' = 'warn'): Promise<Desk> {
  return new Desk(client, (await newProject(hub, { conflict_policy: policy })).name);
}

/** An item that somebody else holds, with its files. */
async function heldByBen(project: string, files: string[], title = 'Write the queries'): Promise<Item> {
  const item = await make(hub, project, { title, files_planned: files });
  await httpAgent(hub, 'ben').claim(item.id);
  return item;
}

const nothing = { code: 0, stdout: '', stderr: '', json: undefined };

test('[HK1] a session starts with what an agent needs to know, and the shell with its name', async () => {
  const claude = await desk('claude');
  const file = join(claude.repository.home, 'env.sh');
  const { code, json } = await claude.hook('session-start', { source: 'startup' }, { CLAUDE_ENV_FILE: file });
  expect(code).toBe(0);
  expect(json).toEqual({
    hookSpecificOutput: {
      hookEventName: 'SessionStart',
      additionalContext: expect.stringContaining(claude.project) as string,
    },
  });
  expect(readFileSync(file, 'utf8')).toBe(
    `export SWITCHYARD_AGENT=${claude.agentId}\nexport SWITCHYARD_PROJECT=${claude.project}\n`,
  );
  const cursor = new Desk('cursor', claude.project);
  expect((await cursor.hook('session-start', {})).json).toEqual({
    additional_context: expect.stringContaining(cursor.agentId) as string,
  });
});

test('[HK2] under policy deny an edit of what another works on is refused, in the words of each client', async () => {
  const claude = await desk('claude', 'deny');
  await heldByBen(claude.project, ['src/']);
  expect(await claude.edit('pre-edit', 'docs/a.md')).toEqual(nothing);
  const { code, json } = await claude.edit('pre-edit', 'src/a.ts');
  expect(code).toBe(0);
  const { hookSpecificOutput } = json as { hookSpecificOutput: Record<string, string> };
  expect(hookSpecificOutput).toMatchObject({ hookEventName: 'PreToolUse', permissionDecision: 'deny' });
  const reason = hookSpecificOutput.permissionDecisionReason!;
  expect(reason).toMatch(/ben has src\/a\.ts for item #1 "Write the queries"/);
  expect(reason).toMatch(/release_item/);

  const patch =
    '*** Begin Patch\n*** Update File: docs/a.md\n@@\n-a\n+b\n*** Add File: src/b.ts\n+b\n*** End Patch';
  const codex = new Desk('codex', claude.project);
  const refused = await codex.hook('pre-edit', { tool_name: 'apply_patch', tool_input: { command: patch } });
  expect(refused.json).toMatchObject({ hookSpecificOutput: { permissionDecision: 'deny' } });
  const cursor = new Desk('cursor', claude.project);
  expect((await cursor.edit('pre-edit', 'src/a.ts')).json).toMatchObject({
    permission: 'deny',
    agent_message: expect.stringContaining('ben') as string,
  });
  expect((await cursor.edit('pre-edit', 'docs/a.md')).json).toEqual({ permission: 'allow' });
  const gemini = new Desk('gemini', claude.project);
  expect((await gemini.edit('pre-edit', 'src/a.ts')).json).toMatchObject({ decision: 'deny' });
  expect((await gemini.edit('pre-edit', 'docs/a.md')).json).toEqual({});
});

test('[HK3] under deny, who had the file first goes on, and is warned', async () => {
  const claude = await desk('claude', 'deny');
  const mine = await make(hub, claude.project, { files_planned: ['src/a.ts'] });
  await claude.holder.claim(mine.id);
  const his = await heldByBen(claude.project, ['docs/a.md']);
  await httpAgent(hub, 'ben').files(his.id, 1, ['src/a.ts']);
  expect((await claude.edit('pre-edit', 'src/a.ts')).json).toMatchObject({
    hookSpecificOutput: { additionalContext: expect.stringContaining('ben has src/a.ts') as string },
  });
  expect((await claude.edit('pre-edit', 'docs/a.md')).json).toMatchObject({
    hookSpecificOutput: { permissionDecision: 'deny' },
  });
});

test('[HK4] under warn the edit goes on, and the model hears of it as early as its client allows', async () => {
  const claude = await desk('claude');
  await heldByBen(claude.project, ['src/a.ts']);
  const before = await claude.edit('pre-edit', 'src/a.ts');
  expect(before.json).toEqual({
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      additionalContext: expect.stringContaining('another agent works on the same file') as string,
    },
  });
  expect(await claude.edit('post-edit', 'src/a.ts')).toEqual(nothing);
  const cursor = new Desk('cursor', claude.project);
  expect((await cursor.edit('pre-edit', 'src/a.ts')).json).toEqual({ permission: 'allow' });
  expect((await cursor.edit('post-edit', 'src/a.ts')).json).toEqual({
    additional_context: expect.stringContaining('ben has src/a.ts') as string,
  });
  const gemini = new Desk('gemini', claude.project);
  expect((await gemini.edit('post-edit', 'src/a.ts')).json).toMatchObject({
    hookSpecificOutput: {
      hookEventName: 'AfterTool',
      additionalContext: expect.stringContaining('ben') as string,
    },
  });
});

test('[HK5] an edit is reported for the item that the agent holds, below the root of its repository or worktree', async () => {
  const claude = await desk('claude');
  const item = await make(hub, claude.project);
  expect(await claude.edit('post-edit', 'src/early.ts')).toEqual(nothing);
  await claude.holder.claim(item.id);
  const { folder } = claude.repository;
  mkdirSync(join(folder, 'web'));
  await claude.edit('post-edit', 'src/a.ts');
  await claude.hook('post-edit', { cwd: join(folder, 'web'), tool_input: { notebook_path: 'b.ipynb' } });
  await claude.hook('post-edit', { tool_input: { file_path: '/etc/hosts' } });
  await claude.hook('post-edit', { tool_input: { file_path: join(folder, '..', 'elsewhere.ts') } });
  expect((await get(hub, item.id)).files_modified).toEqual(['src/a.ts', 'web/b.ipynb']);
  const events = await eventsOf(hub, claude.project, 'item.files_reported');
  expect(events.map(({ actor, attempt }) => ({ actor, attempt }))).toEqual([
    { actor: claude.agentId, attempt: 1 },
    { actor: claude.agentId, attempt: 1 },
  ]);
});

test('[HK5] a file of a worktree is the file of the project', async () => {
  const claude = await desk('claude');
  const { folder, home } = claude.repository;
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: folder,
      env: { ...process.env, HOME: home },
    });
  git('init', '--quiet');
  git('commit', '--quiet', '--allow-empty', '--message', 'one');
  git('worktree', 'add', '--quiet', 'trees/one');
  const item = await make(hub, claude.project);
  await claude.holder.claim(item.id);
  await claude.edit('post-edit', 'trees/one/src/a.ts', { CLAUDE_PROJECT_DIR: folder });
  expect((await get(hub, item.id)).files_modified).toEqual(['src/a.ts']);
});

test('[HK6] stopping is refused once while an item is held, and not when none is', async () => {
  const claude = await desk('claude');
  expect(await claude.hook('stop', { stop_hook_active: false })).toEqual(nothing);
  const item = await make(hub, claude.project, { title: 'Say how to run it' });
  await claude.holder.claim(item.id);
  const refused = await claude.hook('stop', { stop_hook_active: false });
  expect(refused).toMatchObject({ code: 0, json: { decision: 'block' } });
  const reason = String(refused.json!.reason);
  expect(reason).toContain('#1 "Say how to run it"');
  for (const way of ['complete', 'fail', 'release'])
    expect(reason).toContain(`switchyard ${way} 1 --project ${claude.project} --agent ${claude.agentId}`);
  expect(await claude.hook('stop', { stop_hook_active: true })).toEqual(nothing);

  await claude.holder.release(item.id, 1);
  expect(await claude.hook('stop', { stop_hook_active: false })).toEqual(nothing);
  const cursor = new Desk('cursor', claude.project);
  const { claim } = await cursor.holder.claim(item.id);
  expect((await cursor.hook('stop', { status: 'completed', loop_count: 0 })).json).toEqual({
    followup_message: expect.stringContaining('#1') as string,
  });
  expect((await cursor.hook('stop', { status: 'completed', loop_count: 1 })).json).toEqual({});
  expect((await cursor.hook('stop', { status: 'aborted', loop_count: 0 })).json).toEqual({});
  await cursor.holder.complete(item.id, claim.attempt);
});

test('[HK6] what the shell is told to run ends the item', async () => {
  const claude = await desk('claude');
  const item = await make(hub, claude.project);
  await claude.holder.claim(item.id);
  const { json } = await claude.hook('stop', {});
  const line = /switchyard (release 1 --project \S+ --agent \S+?)\)/.exec(String(json!.reason))![1]!;
  const env = {
    ...process.env,
    SWITCHYARD_URL: hub.url,
    SWITCHYARD_TOKEN: adminToken,
  };
  await promisify(execFile)(process.execPath, [bin, ...line.split(' ')], { env });
  expect(await get(hub, item.id)).toMatchObject({ status: 'todo' });
});

test('[HK7] without a hub, or with one that does not answer, the client goes on, and soon', async () => {
  const claude = await desk('claude');
  const cursor = new Desk('cursor', claude.project);
  const away = { SWITCHYARD_URL: 'http://127.0.0.1:1' };
  for (const event of ['session-start', 'post-edit', 'stop']) {
    const input = { tool_input: { file_path: claude.path('a.ts') } };
    const answer = await claude.hook(event, input, away);
    expect(answer).toMatchObject({ code: 0, stdout: '' });
    expect(answer.stderr).toMatch(/^switchyard hook [a-z-]+: The hub at \S+ does not answer .*\n$/);
  }
  expect((await cursor.edit('pre-edit', 'a.ts', away)).json).toEqual({ permission: 'allow' });

  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  try {
    await new Promise((resolve) => mute.once('listening', resolve));
    const { port } = mute.address() as { port: number };
    // It gives up by itself, or this test runs into its limit.
    expect(
      await claude.edit('pre-edit', 'a.ts', { SWITCHYARD_URL: `http://127.0.0.1:${port}` }),
    ).toMatchObject({ code: 0, stdout: '' });
  } finally {
    mute.close();
  }
});

test('[HK8] what cannot be understood lets the client go on, and never ends with exit code 2, which it reads as a refusal', async () => {
  const claude = await desk('claude');
  const odd = await claude.hook('rename', {});
  expect(odd).toMatchObject({ code: 0, stdout: '' });
  expect(odd.stderr).toBe('switchyard hook: say an event: session-start, pre-edit, post-edit, stop\n');
  expect(await claude.hook('pre-edit', { tool_input: 'text' })).toEqual(nothing);
  expect(await claude.hook('stop', {}, { SWITCHYARD_TOKEN: 'wrong' })).toMatchObject({ code: 0, stdout: '' });
  // Cursor, which runs Claude Code's hooks too, has hooks of its own.
  const item = await make(hub, claude.project);
  await claude.holder.claim(item.id);
  expect(await claude.hook('stop', { cursor_version: '3.7.21' })).toEqual(nothing);
});

test('[HK9] an item that `switchyard run` gave to the client is its to end, and its files are reported for no other', async () => {
  const claude = await desk('claude');
  const [given, other] = [await make(hub, claude.project), await make(hub, claude.project)];
  const { claim } = await httpAgent(hub, 'runner').claim(given.id);
  await httpAgent(hub, 'runner').claim(other.id);
  const env = {
    SWITCHYARD_AGENT: 'runner',
    SWITCHYARD_ITEM_ID: given.id,
    SWITCHYARD_ATTEMPT: String(claim.attempt),
    SWITCHYARD_PROJECT: claude.project,
  };
  await claude.edit('post-edit', 'src/a.ts', env);
  expect((await get(hub, given.id)).files_modified).toEqual(['src/a.ts']);
  expect((await get(hub, other.id)).files_modified).toEqual([]);
  expect(await claude.edit('pre-edit', 'src/a.ts', env)).toEqual(nothing);
  expect(await claude.hook('stop', {}, env)).toEqual(nothing);
  expect((await claude.hook('session-start', {}, env)).stdout).toContain(
    'You were started by `switchyard run`',
  );
});

test('[HK10] two sessions in one folder are one agent, unless one is given a name', async () => {
  const claude = await desk('claude');
  const item = await make(hub, claude.project, { files_planned: ['src/a.ts'] });
  await claude.holder.claim(item.id);
  expect((await claude.hook('stop', { session_id: 's-2' })).json).toMatchObject({ decision: 'block' });
  expect(await claude.edit('pre-edit', 'src/a.ts')).toEqual(nothing);
  const named = { SWITCHYARD_AGENT: 'second' };
  expect(await claude.hook('stop', { session_id: 's-2' }, named)).toEqual(nothing);
  expect((await claude.edit('pre-edit', 'src/a.ts', named)).stdout).toContain(
    `${claude.agentId} has src/a.ts`,
  );
});
