import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal } from '@switchyard/shared/errors';
import type { Call } from '../call.ts';
import { Misuse, readArguments, readTextFile, runCommand } from '../command.ts';
import { httpCaller } from '../http.ts';
import { findHub } from '../hub-address.ts';
import { parseBacklog } from './backlog.ts';
import { importPlan } from './create.ts';
import { reportOf } from './report.ts';
import { slugOf } from './text.ts';

const usage = `Imports a backlog into a project of a started hub. Importing it again adds only what is new.

  npm run import -- FILE [--project NAME] [--warnings]

FILE         Beads JSONL, Task Master tasks.json, or Markdown with - [ ] items; told by its content
--project    the project's name, made when it is new (default: SWITCHYARD_PROJECT, or the file's name)
--warnings   list every warning, not a few of each kind

The hub is found by SWITCHYARD_URL and SWITCHYARD_TOKEN, or on this machine. Exit code: 0 imported (also with
warnings), 1 the hub refused or is away, 2 the call or the file is not right.`;

await runCommand(async () => {
  const { values, positionals } = readArguments(() =>
    parseArgs({
      allowPositionals: true,
      options: {
        project: { type: 'string' },
        warnings: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  );
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const [file] = positionals;
  if (file === undefined || positionals.length > 1) throw new Misuse('Name one file. See --help.');
  const plan = parseBacklog(await readTextFile(file));
  const project = values.project || process.env.SWITCHYARD_PROJECT || projectNameOf(file);
  const call = httpCaller(findHub());
  await ensureProject(call, project);
  const imported = await importPlan(call, project, plan, { onProgress: showProgress });
  console.log(reportOf(plan, imported, project, values.warnings));
  return 0;
});

function projectNameOf(file: string): string {
  const name = slugOf(basename(file, extname(file)));
  if (name === null) throw new Misuse('The file’s name makes no project name: give one with --project.');
  return name;
}

async function ensureProject(call: Call, name: string): Promise<void> {
  try {
    await call('project.get', { project: name });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'NOT_FOUND') throw error;
    await call('project.create', { name });
  }
}

function showProgress(done: number, total: number): void {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[K${done === total ? '' : `importing ${done} of ${total}`}`);
  else if (done > 0) console.error(`importing ${done} of ${total}`);
}
