import type { FilePlan, Standing } from './entry.ts';
import { FileRefused, readTextFile, removeTextFile, writeTextFile, type TextFile } from './text-file.ts';

export type Mode = 'write' | 'check' | 'remove';

/** What became of one entry, or, when the file was refused, of the file. */
export interface Outcome {
  readonly file: string;
  /** null: the whole file. */
  readonly entry: string | null;
  /** `left`: a person changed it, so it stays. `refused`: the file could not be read, understood or written. */
  readonly did:
    'added' | 'updated' | 'removed' | 'unchanged' | 'absent' | 'missing' | 'stale' | 'left' | 'refused';
  /** Why, for what was left or refused. */
  readonly why?: string;
}

const unwell: ReadonlySet<Outcome['did']> = new Set(['missing', 'stale', 'left', 'refused']);

/** Whether all is as it was asked for. */
export function isWell(outcomes: readonly Outcome[]): boolean {
  return !outcomes.some(({ did }) => unwell.has(did));
}

/** Does with the files what the mode says; `check` changes nothing. A file that is refused does not hold up the others. */
export function runPlans(plans: readonly FilePlan[], mode: Mode): Outcome[] {
  return plans.flatMap((plan) => {
    try {
      return runPlan(plan, mode);
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error;
      return [{ file: plan.shown, entry: null, did: 'refused', why: error.message } as const];
    }
  });
}

function runPlan(plan: FilePlan, mode: Mode): Outcome[] {
  const file = readTextFile(plan.path);
  let { text } = file;
  const outcomes = plan.entries.map((entry): Outcome => {
    const { state, why } = entry.state(text);
    const before = text;
    let did = acts[mode][state];
    if (did === 'added' || did === 'updated') text = entry.write(text);
    if (did === 'removed') text = entry.erase(text);
    // A block that only other clients have stays.
    if (did === 'removed' && text === before) did = 'absent';
    return { file: plan.shown, entry: entry.label, did, ...(why === undefined ? {} : { why }) };
  });
  if (text !== file.text) store(file, text);
  return outcomes;
}

const acts: Record<Mode, Record<Standing['state'], Outcome['did']>> = {
  write: { missing: 'added', stale: 'updated', current: 'unchanged', changed: 'left' },
  check: { missing: 'missing', stale: 'stale', current: 'unchanged', changed: 'left' },
  remove: { missing: 'absent', stale: 'removed', current: 'removed', changed: 'left' },
};

function store(file: TextFile, text: string): void {
  if (text === '') removeTextFile(file);
  else writeTextFile(file, text);
}
