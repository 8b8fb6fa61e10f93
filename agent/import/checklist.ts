import { createHash } from 'node:crypto';
import { planOf, type Draft } from './draft.ts';
import { priorityDefault, type Plan } from './plan.ts';

/** `- [ ] title`, `* [x] title`, `1. [-] title`: indent, mark, title. */
export const checkbox = /^(\s*)(?:[-*+]|\d+[.)])\s+\[([ xX/~-])\]\s+(\S.*)$/;
const heading = /^(#{1,6})\s+(.+?)\s*#*$/;
const fence = /^\s*(```|~~~)/;

/** Tags that name a type of work. Other tags are kept as metadata. */
const types = new Map([
  ['feature', 'feature'],
  ['feat', 'feature'],
  ['enhancement', 'feature'],
  ['bug', 'bug'],
  ['fix', 'bug'],
  ['test', 'test'],
  ['tests', 'test'],
  ['docs', 'docs'],
  ['documentation', 'docs'],
  ['refactor', 'refactor'],
]);

const keyLengthMax = 200;

/**
 * Reads the checkboxes of a Markdown text: `- [ ]` is todo, `- [x]` done, `- [-]` cancelled; an indented one is
 * below the one above it, other indented lines are its description. `#bug`, `(P1)` and `(2h)` anywhere in a title
 * say type, priority and estimate. Never throws; text without checkboxes makes an empty plan.
 */
export function parseChecklist(markdown: string): Plan {
  const reader = new ChecklistReader();
  for (const line of markdown.split(/\r?\n/)) reader.read(line);
  return planOf('checklist', reader.drafts(), []);
}

interface Entry {
  indent: number;
  /** Where in the text it stands: headings and titles above it, and its own. */
  path: string[];
  draft: Draft;
  lines: string[];
}

class ChecklistReader {
  readonly #entries: Entry[] = [];
  readonly #timesSeen = new Map<string, number>();
  /** The headings above, outermost first. */
  #headings: { level: number; title: string }[] = [];
  /** The items that the next line may be below of, outermost first. */
  #above: Entry[] = [];
  #inFence = false;

  read(line: string): void {
    if (fence.test(line)) this.#inFence = !this.#inFence;
    const box = this.#inFence ? null : checkbox.exec(line);
    const title = this.#inFence ? null : heading.exec(line);
    if (box) this.#open(columns(box[1]!), box[2]!, box[3]!);
    else if (title) this.#section(title[1]!.length, title[2]!);
    else this.#describe(line);
  }

  drafts(): Draft[] {
    return this.#entries.map(({ draft, lines, indent }) => ({
      ...draft,
      description:
        lines
          .map((line) => dedent(line, indent + 2))
          .join('\n')
          .trim() || null,
    }));
  }

  #section(level: number, title: string): void {
    this.#headings = [...this.#headings.filter((above) => above.level < level), { level, title }];
    this.#above = [];
  }

  #open(indent: number, mark: string, text: string): void {
    this.#above = this.#above.filter((entry) => entry.indent < indent);
    const parent = this.#above.at(-1);
    const { title, tags, ...marked } = readTitle(text);
    const path = [...(parent?.path ?? this.#headings.map((above) => above.title)), title];
    const draft: Draft = {
      key: this.#key(path),
      title,
      description: null,
      ...marked,
      parentKey: parent?.draft.key ?? null,
      dependencyKeys: [],
      status: mark === ' ' || mark === '/' ? 'todo' : mark.toLowerCase() === 'x' ? 'done' : 'cancelled',
      result_summary: null,
      metadata: { section: this.#headings.map((above) => above.title).join(' / '), tags },
    };
    const entry = { indent, path, draft, lines: [] };
    this.#entries.push(entry);
    this.#above.push(entry);
  }

  #describe(line: string): void {
    const entry = this.#above.at(-1);
    if (!entry) return;
    // Text that is not indented ends the list it stands below.
    if (line.trim() !== '' && columns(line) <= entry.indent)
      this.#above = this.#above.filter((above) => above.indent < columns(line));
    this.#above.at(-1)?.lines.push(line);
  }

  /** A path names an item as long as its text stands; equal ones are counted. */
  #key(path: string[]): string {
    const whole = path.join(' / ');
    const key = whole.length <= keyLengthMax ? whole : `${whole.slice(0, keyLengthMax - 18)}…${hash(whole)}`;
    const times = (this.#timesSeen.get(key) ?? 0) + 1;
    this.#timesSeen.set(key, times);
    return times === 1 ? key : `${key} (${times})`;
  }
}

function readTitle(text: string) {
  const tags = [...text.matchAll(/(?<=^|\s)#([A-Za-z][\w/-]*)/g)].map((match) => match[1]!);
  const priority = /\(P(\d)\)/i.exec(text);
  const hours = /\((\d+(?:\.\d+)?) ?(h|m|min)\)/i.exec(text);
  const type = tags.find((tag) => types.has(tag.toLowerCase()));
  const title = text
    .replace(/(?<=^|\s)#[A-Za-z][\w/-]*/g, '')
    .replace(priority?.[0] ?? '', '')
    .replace(hours?.[0] ?? '', '')
    .replace(/\s+/g, ' ')
    .trim();
  return {
    title: title || text.trim(),
    task_type: type === undefined ? null : types.get(type.toLowerCase())!,
    priority: priority ? Number(priority[1]) : priorityDefault,
    estimated_hours: hours ? Number(hours[1]) / (hours[2]!.toLowerCase() === 'h' ? 1 : 60) : null,
    tags: tags.filter((tag) => tag !== type),
  };
}

/** How far a line is indented, in columns; a tab goes to the next fourth. */
function columns(line: string): number {
  let width = 0;
  for (const character of /^\s*/.exec(line)![0])
    width = character === '\t' ? width - (width % 4) + 4 : width + 1;
  return width;
}

/** Takes up to `width` columns of indentation away. */
function dedent(line: string, width: number): string {
  const indent = columns(line);
  return ' '.repeat(Math.max(0, indent - width)) + line.trim();
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
