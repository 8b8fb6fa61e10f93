// What docs/setup.md shows, typed as it stands in a repository that has switchyard installed, with npx and sh.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken, call, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { httpAgent, make } from '../../server/test/setup/work.ts';
import { bin, Repository } from './setup-repository.ts';

const manual = readFileSync(fileURLToPath(new URL('../../docs/setup.md', import.meta.url)), 'utf8');
/** Each command of the manual, and what it says comes of it. */
const examples = [...manual.matchAll(/```sh\n([\s\S]*?)```\n\n```(text|json)\n([\s\S]*?)```/g)].map(
  (match) => ({
    command: match[1]!,
    shows: match[3]!,
  }),
);

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

function installed(): Repository {
  const repository = new Repository({}, { local: false });
  mkdirSync(join(repository.folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync(bin, join(repository.folder, 'node_modules/.bin/switchyard'));
  return repository;
}

async function shell(repository: Repository, command: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const env = {
    ...process.env,
    HOME: repository.home,
    SWITCHYARD_URL: hub.url,
    SWITCHYARD_TOKEN: adminToken,
    ...more,
  };
  const { stdout } = await promisify(execFile)('sh', ['-ec', command], { cwd: repository.folder, env });
  return stdout;
}

test('[SD1] setup, --check and --remove say what the manual says', async () => {
  const repository = installed();
  const setups = examples.filter(({ command }) => command.includes('switchyard setup'));
  expect(setups).toHaveLength(3);
  for (const { command, shows } of setups)
    expect((await shell(repository, command)).replace(repository.folder, '/home/anna/shop')).toBe(shows);
});

test('[SD2] the hook answers what the manual says', async () => {
  const repository = installed();
  const [example] = examples.filter(({ command }) => command.includes('switchyard hook'));
  await call(hub, 'project.create', { name: 'shop', conflict_policy: 'deny' });
  const item = await make(hub, 'shop', { title: 'Write the queries', files_planned: ['src/db.ts'] });
  await httpAgent(hub, 'ben').claim(item.id);
  const since = /\d{4}-\d\d-\d\d \d\d:\d\d UTC/;
  const answer = JSON.parse((await shell(repository, example!.command)).replace(since, 'then')) as unknown;
  expect(answer).toEqual(JSON.parse(example!.shows.replace(since, 'then')));
});

test('[SD3] the lines that setup writes run as they stand', async () => {
  const repository = installed();
  await shell(repository, 'npx switchyard setup claude --project shop');
  const { hooks } = JSON.parse(repository.read('.claude/settings.json')) as {
    hooks: Record<string, { hooks: { command: string }[] }[]>;
  };
  const input = JSON.stringify({ cwd: repository.folder });
  const env = { CLAUDE_PROJECT_DIR: repository.folder };
  const answer = await shell(
    repository,
    `echo '${input}' | ${hooks.SessionStart![0]!.hooks[0]!.command}`,
    env,
  );
  expect(JSON.parse(answer)).toHaveProperty('hookSpecificOutput.additionalContext');
});
