/** A backlog from elsewhere, as it is to be created: what every parser answers and `importPlan` takes. */
export interface Plan {
  system: System;
  items: PlanItem[];
  warnings: Warning[];
}

/** Where a backlog comes from; the `system` of `metadata.source`. */
export type System = 'beads' | 'task-master' | 'checklist';

export interface PlanItem {
  /** Its id in the source, unique within the plan. */
  key: string;
  title: string;
  description: string | null;
  task_type: string | null;
  /** 0 first, 9 last. */
  priority: number;
  parentKey: string | null;
  dependencyKeys: string[];
  status: 'todo' | 'done' | 'cancelled';
  estimated_hours: number | null;
  /** Only of what is done. */
  result_summary: string | null;
  max_attempts?: number;
  metadata: Record<string, unknown>;
}

/** Something that could not be carried over as it stood. Never fatal. */
export interface Warning {
  kind: WarningKind;
  /** The item (or line) it is about. */
  key: string;
  message: string;
}

/** The kinds of warnings, in the words under which a summary groups them. */
export const warningKinds = {
  unreadable: 'entries that could not be read, left out',
  duplicate: 'ids that occur more than once',
  missing: 'links to issues that are not in the file',
  circle: 'links that would wait for one another in a circle, dropped',
  link: 'links that have no counterpart here, dropped',
  status: 'states that have no counterpart here',
  below: 'open items below a parent that is over, left as they are',
  value: 'values that were not understood',
  text: 'texts made to fit',
} as const;
export type WarningKind = keyof typeof warningKinds;

export const priorityDefault = 5;
export const priorityLast = 9;
