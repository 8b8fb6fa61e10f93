import type { Status } from '@switchyard/shared/item';

/** An item as it is shown before it is made. */
export interface PreviewRow {
  title: string;
  status: Status;
  task_type: string | null;
  priority: number | null;
  estimated_hours: number | null;
  description: string | null;
  /** How far in it stands: 0 without a parent. */
  depth: number;
  /** What is wrong with it. */
  problem?: string | undefined;
  /** What else there is to say. */
  note?: string | undefined;
}
