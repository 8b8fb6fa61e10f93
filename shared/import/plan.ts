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

/** The kinds of warnings, in the words under which a summary groups them: of one, and of several. */
export const warningKinds = {
  unreadable: ['entry that could not be read, left out', 'entries that could not be read, left out'],
  duplicate: ['id that occurs more than once', 'ids that occur more than once'],
  missing: ['link to an issue that is not in the file', 'links to issues that are not in the file'],
  circle: [
    'link that would wait for itself in a circle, dropped',
    'links that would wait for one another in a circle, dropped',
  ],
  link: ['link that has no counterpart here, dropped', 'links that have no counterpart here, dropped'],
  status: ['state that has no counterpart here', 'states that have no counterpart here'],
  below: [
    'open item below a parent that is over, left as it is',
    'open items below a parent that is over, left as they are',
  ],
  value: ['value that was not understood', 'values that were not understood'],
  text: ['text made to fit', 'texts made to fit'],
} as const;
export type WarningKind = keyof typeof warningKinds;

export const warningTitle = (kind: WarningKind, count: number) => warningKinds[kind][count === 1 ? 0 : 1];

export const priorityDefault = 5;
export const priorityLast = 9;
