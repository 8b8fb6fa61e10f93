import { parseArgs } from 'node:util';
import { importPlan } from '@switchyard/shared/import/create';
import { Misuse, readArguments, readTextFile, runCommand } from '../command.ts';
import { httpCaller } from '../http.ts';
import { findHub } from '../hub-address.ts';
import { readBacklog } from './read.ts';
import { showProgress } from './progress.ts';
import { ensureProject, projectNameOf } from './project.ts';
import { reportOf } from './report.ts';

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
  const plan = readBacklog(await readTextFile(file));
  const project = values.project || process.env.SWITCHYARD_PROJECT || projectNameOf(file);
  const call = httpCaller(findHub());
  await ensureProject(call, project);
  const imported = await importPlan(call, project, plan, { onProgress: showProgress(process.stderr) });
  console.log(reportOf(plan, imported, project, values.warnings));
  return 0;
});
