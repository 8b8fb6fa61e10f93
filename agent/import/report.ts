import type { Imported } from '@switchyard/shared/import/create';
import { warningKinds, warningTitle, type Plan, type WarningKind } from '@switchyard/shared/import/plan';

const examplesMax = 3;

/** What came of an import, for a person: counts, then warnings by kind with a few examples each. */
export function reportOf(plan: Plan, imported: Imported, project: string, all = false): string {
  const of = (status: string) => plan.items.filter((item) => item.status === status).length;
  const lines = [
    `${project}: ${imported.created} created, ${imported.existing} already there` +
      ` (${of('todo')} todo, ${of('done')} done, ${of('cancelled')} cancelled)`,
  ];
  for (const kind of Object.keys(warningKinds) as WarningKind[]) {
    const found = plan.warnings.filter((warning) => warning.kind === kind);
    if (found.length === 0) continue;
    const shown = all ? found : found.slice(0, examplesMax);
    lines.push(
      `${found.length} ${warningTitle(kind, found.length)}:`,
      ...shown.map(({ key, message }) => `  ${key}: ${message}`),
    );
    if (found.length > shown.length)
      lines.push(`  … and ${found.length - shown.length} more (--warnings shows all)`);
  }
  return lines.join('\n');
}
