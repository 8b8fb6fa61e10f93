import type { Event, EventType, Item } from '@switchyard/shared/item';
import { filesText } from './item-text.ts';
import { nameOf } from './naming.ts';
import type { Output, Style } from './output.ts';
import { clock } from './time.ts';

type Data = Record<string, unknown>;
type Words = [verb: string, colour?: Style, more?: (data: Data) => unknown];

const words: Record<EventType, Words> = {
  'item.created': ['created'],
  'item.updated': ['changed', 'dim', changesIn],
  'item.claimed': ['claimed', 'cyan'],
  'item.progressed': ['progress', 'dim', progressOf],
  'item.files_reported': ['touched', 'dim', ({ files_added }) => filesText(textsIn(files_added))],
  'item.completed': ['done', 'green', ({ result_summary }) => result_summary],
  'item.failed': ['failed', 'red', ({ failure_reason }) => failure_reason],
  'item.released': ['released', 'yellow', ({ reason }) => reason],
  'item.requeued': ['requeued', 'yellow', ({ reason }) => reason],
  'item.retried': ['retried'],
  'item.cancelled': ['cancelled', 'yellow', ({ reason }) => reason],
  'item.cancel_acknowledged': ['stopped'],
  'conflict.detected': ['conflict', 'yellow', sharedOf],
  'conflict.resolved': ['resolved', 'green', sharedOf],
  'agent.connected': ['came', 'dim'],
  'agent.disconnected': ['went', 'dim'],
  'project.updated': ['project', 'dim', (data) => Object.keys(data).join(', ')],
};
const verbWidth = Math.max(...Object.values(words).map(([verb]) => verb.length));
const moreMax = 200;

/** One line of the log for people; `known` has the items seen so far, for lines that come without theirs. */
export function eventLine(
  out: Output,
  event: Event & { item?: Item },
  known: Map<string, { number: number; title: string }>,
): string {
  const { item, item_id, data } = event;
  if (item) known.set(item.id, { number: item.number, title: item.title });
  else if (event.type === 'item.created') known.set(item_id!, data as { number: number; title: string });
  const [verb, colour, more] = words[event.type];
  const subject = item_id === null ? '' : nameOf(known.get(item_id) ?? { number: NaN, title: item_id });
  const told = oneLine(more?.(data));
  return [
    out.style('dim', clock(event.at)),
    colour === undefined ? verb.padEnd(verbWidth) : out.style(colour, verb.padEnd(verbWidth)),
    subject.replace('#NaN ', ''),
    told && out.style('dim', `— ${told}`),
    out.style('dim', `(${event.actor})`),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function changesIn({ blocked_by, ...fields }: Data): string {
  const waits = textsIn(blocked_by).length;
  const freed = waits === 0 ? 'waits for nothing any more' : `waits for ${waits}`;
  return [...Object.keys(fields), ...(blocked_by === undefined ? [] : [freed])].join(', ');
}

function progressOf({ progress, progress_note }: Data): string {
  return [typeof progress === 'number' ? `${progress}%` : '', progress_note].filter(Boolean).join(' ');
}

function sharedOf({ conflicting_files, items }: Data): string {
  const numbers = Array.isArray(items) ? items.map(({ number }: { number: number }) => `#${number}`) : [];
  return [numbers.join(' and '), filesText(textsIn(conflicting_files))].filter(Boolean).join(': ');
}

const textsIn = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function oneLine(value: unknown): string {
  if (typeof value !== 'string') return '';
  const line = value.replace(/\s+/g, ' ').trim();
  return line.length > moreMax ? `${line.slice(0, moreMax)}…` : line;
}
