import type { Event } from '@switchyard/shared/item';
import { shortPath } from '#lib/paths.ts';

type Line = Pick<Event, 'type' | 'data' | 'attempt'>;

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const because = (data: Line['data']) =>
  text(data.reason) ? `: ${text(data.reason).replaceAll('_', ' ')}` : '';
const fields = (data: Line['data']) =>
  Object.keys(data)
    .filter((name) => name !== 'version')
    .join(', ')
    .replaceAll('_', ' ');

/** A line of the log in words, without who did it and to what: "claimed, attempt 2", "failed: no disk left". */
export function describe({ type, data, attempt }: Line): string {
  switch (type) {
    case 'item.created':
      return 'created';
    case 'item.updated':
      return fields(data) === 'blocked by' ? 'what it waits for changed' : `changed ${fields(data)}`;
    case 'item.claimed':
      return `claimed, attempt ${attempt ?? 1}`;
    case 'item.progressed':
      return at(data);
    case 'item.files_reported':
      return `touched ${list(data.files_added)}`;
    case 'item.completed':
      return 'completed';
    case 'item.failed':
      return `failed: ${text(data.failure_reason) || text(data.reason)}`;
    case 'item.released':
      return `released${because(data)}`;
    case 'item.requeued':
      return `back in the queue${because(data)}`;
    case 'item.retried':
      return 'retried';
    case 'item.cancelled':
      return `cancelled${because(data)}`;
    case 'item.cancel_acknowledged':
      return 'agent confirmed that it stopped';
    case 'conflict.detected':
      return `conflict in ${list(data.conflicting_files)}`;
    case 'conflict.resolved':
      return `conflict over in ${list(data.conflicting_files)}`;
    case 'agent.connected':
      return 'connected';
    case 'agent.disconnected':
      return 'disconnected';
    case 'project.updated':
      return `project changed: ${fields(data)}`;
    default:
      return String(type satisfies never);
  }
}

/** "at 40 %: half way" */
function at({ progress, progress_note }: Line['data']): string {
  const far = typeof progress === 'number' ? `at ${Math.floor(progress)} %` : 'goes on';
  return text(progress_note) ? `${far}: ${text(progress_note)}` : far;
}

const filesMax = 3;

function list(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return 'files';
  const more = value.length - filesMax;
  return (
    value
      .slice(0, filesMax)
      .map((path) => shortPath(String(path)))
      .join(', ') + (more > 0 ? ` and ${more} more` : '')
  );
}
