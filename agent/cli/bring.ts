import { importPlan } from '@switchyard/shared/import/create';
import type { Plan } from '@switchyard/shared/import/plan';
import { showProgress } from '../import/progress.ts';
import { reportOf } from '../import/report.ts';
import type { Cli } from './context.ts';

/** Brings a backlog that was read into a project that exists, and says what came of it. */
export async function bring(
  cli: Cli,
  plan: Plan,
  { project, warnings = false }: { project: string; warnings?: boolean },
): Promise<void> {
  const imported = await importPlan(cli.call, project, plan, {
    onProgress: showProgress(cli.process.stderr),
  });
  const { created, existing } = imported;
  cli.out.result(
    { project, created, existing, items: Object.fromEntries(imported.ids), warnings: plan.warnings },
    () => reportOf(plan, imported, project, warnings),
  );
}
