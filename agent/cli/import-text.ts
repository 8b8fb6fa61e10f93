import { importPlan } from '@switchyard/shared/import/create';
import { showProgress } from '../import/progress.ts';
import { readBacklog } from '../import/read.ts';
import { reportOf } from '../import/report.ts';
import type { Cli } from './context.ts';

/** Brings a backlog of any known format into a project that exists. Throws `Misuse` for what is none. */
export async function importText(
  cli: Cli,
  text: string,
  { project, warnings = false }: { project: string; warnings?: boolean },
): Promise<void> {
  const plan = readBacklog(text);
  const imported = await importPlan(cli.call, project, plan, {
    onProgress: showProgress(cli.process.stderr),
  });
  const { created, existing } = imported;
  cli.out.result(
    { project, created, existing, items: Object.fromEntries(imported.ids), warnings: plan.warnings },
    () => reportOf(plan, imported, project, warnings),
  );
}
