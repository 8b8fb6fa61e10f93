import type { Event, Item } from '@switchyard/shared/item';

/** An item as its events tell it, under its wire names. */
export type Folded = Pick<Item, (typeof foldedFields)[number]>;

/** Every field that the log accounts for. The others are derived at the moment of asking, or count changes. */
export const foldedFields = [
  'number',
  'parent_item_id',
  'title',
  'description',
  'task_type',
  'status',
  'priority',
  'assigned_agent_id',
  'assigned_at',
  'session_id',
  'attempt',
  'max_attempts',
  'failure_count',
  'lost_count',
  'progress',
  'progress_note',
  'files_planned',
  'files_modified',
  'conflict_policy',
  'dependencies',
  'blocked_by',
  'stopping',
  'retry_at',
  'estimated_hours',
  'result_summary',
  'failure_reason',
  'completed_at',
  'metadata',
] as const satisfies (keyof Item)[];

const known: ReadonlySet<string> = new Set(foldedFields);

/** An item before its first event; `item.created` leaves out what is empty. */
const blank: Folded = {
  number: 0,
  parent_item_id: null,
  title: '',
  description: null,
  task_type: null,
  status: 'todo',
  priority: 5,
  assigned_agent_id: null,
  assigned_at: null,
  session_id: null,
  attempt: 0,
  max_attempts: 1,
  failure_count: 0,
  lost_count: 0,
  progress: null,
  progress_note: null,
  files_planned: [],
  files_modified: [],
  conflict_policy: null,
  dependencies: [],
  blocked_by: [],
  stopping: false,
  retry_at: null,
  estimated_hours: null,
  result_summary: null,
  failure_reason: null,
  completed_at: null,
  metadata: {},
};

/** The item after one more event. `data` holds fields as they are now, and files that were added. */
export function fold(item: Folded = blank, event: Event): Folded {
  const changed = Object.entries(event.data).filter(([name]) => known.has(name));
  const added = Array.isArray(event.data.files_added) ? (event.data.files_added as string[]) : [];
  return {
    ...item,
    ...(Object.fromEntries(changed) as Partial<Folded>),
    files_modified: [...new Set([...item.files_modified, ...added])],
  };
}
