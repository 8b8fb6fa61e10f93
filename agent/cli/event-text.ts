import type { EventType, Item } from '@switchyard/shared/item';
import type { ProjectEvent } from '@switchyard/shared/protocol';
import type { Call } from '../call.ts';
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

type Name = Pick<Item, 'number' | 'title'>;

/** Writes the lines of a log, for people or as JSON, in the order they come in. */
export class LogLines {
  readonly #out: Output;
  readonly #call: Call;
  readonly #names = new Map<string, Name>();
  #written = Promise.resolve();

  constructor(out: Output, call: Call) {
    this.#out = out;
    this.#call = call;
  }

  write(event: ProjectEvent): void {
    if (this.#out.json) return this.#out.line(event, () => '');
    this.#written = this.#written.then(async () => {
      const name = await this.#nameOf(event);
      this.#out.line(event, () => eventLine(this.#out, event, name));
    });
  }

  /** Lines that lie far back come without their item: only the first of them says what it is called. */
  async #nameOf({ item, item_id, type, data }: ProjectEvent): Promise<Name | null> {
    if (item_id === null) return null;
    if (item) this.#names.set(item_id, { number: item.number, title: item.title });
    else if (type === 'item.created') this.#names.set(item_id, data as unknown as Name);
    else if (!this.#names.has(item_id)) await this.#learn(item_id);
    return this.#names.get(item_id) ?? null;
  }

  async #learn(id: string): Promise<void> {
    try {
      const { item } = await this.#call('item.get', { id });
      this.#names.set(id, { number: item.number, title: item.title });
    } catch {
      // The line goes by its id.
    }
  }
}

/** One line of the log for people. */
function eventLine(out: Output, event: ProjectEvent, name: Name | null): string {
  const { item_id, data } = event;
  const [verb, colour, more] = words[event.type];
  const subject = name ? nameOf(name) : (item_id ?? '');
  const told = oneLine(more?.(data));
  return [
    out.style('dim', clock(event.at)),
    colour === undefined ? verb.padEnd(verbWidth) : out.style(colour, verb.padEnd(verbWidth)),
    subject,
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
