import { basename, extname } from 'node:path';
import { slugOf } from '@switchyard/shared/import/text';
import { readArguments, readTextFile, runCommand } from '../command.ts';
import { httpCaller } from '../http.ts';
import { findHub } from '../hub-address.ts';
import { readBacklog } from '../import/read.ts';
import { Drill } from './drill.ts';
import { readOptions, usage } from './options.ts';
import { summaryOf } from './summary.ts';

await runCommand(async () => {
  const asked = readArguments(() => readOptions(process.argv.slice(2)));
  if (asked === null) {
    console.log(usage);
    return 0;
  }
  const { file, options } = asked;
  const plan = readBacklog(await readTextFile(file));
  const hub = findHub();
  const drill = new Drill(hub, projectName(file), plan, options);
  process.once('SIGINT', () => {
    drill.abort();
    console.error(`\nStopped. What there is of ${drill.project} stays in the hub.`);
    process.exit(130);
  });

  const show = showProgress(drill);
  const result = await drill.run().finally(show.end);
  console.log(summaryOf(drill, result));
  const well = result.violations.length === 0 && drill.tally.faults.length === 0;
  if (well && options.discard) {
    await httpCaller(hub)('project.delete', { project: drill.project, confirm: drill.project });
  }
  return well ? 0 : 1;
});

/** New at every call: a drill begins with an empty project. */
function projectName(file: string): string {
  const name = slugOf(basename(file, extname(file))) ?? 'backlog';
  return `drill-${name.slice(0, 40)}-${Date.now().toString(36)}`;
}

/** One line that is written over on a terminal, and a line now and then elsewhere. */
function showProgress(drill: Drill): { end: () => void } {
  const isTerminal = process.stdout.isTTY;
  const show = () => process.stdout.write(isTerminal ? `\r\x1b[K${drill.state()}` : `${drill.state()}\n`);
  const timer = setInterval(show, isTerminal ? 100 : 2_000);
  return {
    end: () => {
      clearInterval(timer);
      if (isTerminal) process.stdout.write('\r\x1b[K');
    },
  };
}
