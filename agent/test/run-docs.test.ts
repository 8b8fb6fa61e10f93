// The examples of docs/run.md, as they stand, against a hub.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adminToken, newProject, startTestHub, type TestHub } from '../../server/test/setup/hub.ts';
import { getItem, newItem } from '../../server/test/setup/steps.ts';
import { bin, gitIn, newFolder, newRepository } from './setup/runner.ts';

const doc = readFileSync(new URL('../../docs/run.md', import.meta.url), 'utf8');
const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const blocks = [...doc.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
const script = blocks.find((block) => block.startsWith('#!/bin/sh'))!;
const examples = blocks
  .filter((block) => block !== script)
  .flatMap((block) => block.split(/\n(?=switchyard )/).map((example) => example.trim()));

let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub();
});
afterAll(() => hub.stop());

/** A place where the commands of the examples exist; coding agents are stood in for by what reads what they would. */
function newPath(): string {
  const folder = newFolder();
  const agent = `#!/bin/sh\ngrep -q '"title":"Say hello"' && echo "$SWITCHYARD_ITEM_TITLE" > hello.txt\n`;
  const files: Record<string, string> = {
    switchyard: `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`,
    claude: agent,
    codex: agent,
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

test.each(examples)('%s', async (example) => {
  const project = await newProject(hub, example.includes('--project shop') ? { name: 'shop' } : {});
  const item = await newItem(hub, project, {
    title: 'Say hello',
    task_type: 'format',
    files_planned: ['a.js'],
  });
  const root = newRepository({ 'work.sh': script, 'a.js': 'let a  = 1', '.gitignore': 'node_modules\n' });
  chmodSync(join(root, 'work.sh'), 0o755);
  gitIn(root, 'commit', '--all', '--quiet', '--message', 'Make it executable');
  mkdirSync(join(root, 'node_modules'));
  for (const name of ['.bin', 'prettier']) symlinkSync(join(modules, name), join(root, 'node_modules', name));
  // What would go on for ever is to do one item.
  const once = /--max-items|--exit-when-idle/.test(example)
    ? example
    : example.replace('run ', 'run --max-items 1 ');
  await promisify(execFile)('sh', ['-ec', once], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${newPath()}:${process.env.PATH}`,
      SWITCHYARD_URL: hub.url,
      SWITCHYARD_TOKEN: adminToken,
      ...(example.includes('--project') ? {} : { SWITCHYARD_PROJECT: project.name }),
    },
  });
  const done = await getItem(hub, item.id);
  expect(done.status).toBe('done');
  expect(done.files_modified).toEqual([
    /prettier/.test(example) ? 'a.js' : /claude|codex/.test(example) ? 'hello.txt' : 'CHANGES.txt',
  ]);
});
