/** `- [ ] title`, `* [x] title`, `1. [-] title`: indent, mark, title. */
export const checkbox = /^(\s*)(?:[-*+]|\d+[.)])\s+\[([ xX/~-])\]\s+(\S.*)$/;
const heading = /^(#{1,6})\s+(\S.*)$/;
const fence = /^\s*(```|~~~)/;

/** Tags that name a type of work. */
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

/** One checkbox of a Markdown text, as it is written: nothing is shortened or refused here. */
export interface ChecklistEntry {
  title: string;
  description: string | null;
  task_type: string | null;
  /** Null where the text says none. */
  priority: number | null;
  estimated_hours: number | null;
  status: 'todo' | 'done' | 'cancelled';
  /** The place, in the list of all, of the one that this one is indented below. */
  parent: number | null;
  /** The headings it stands under, outermost first. */
  sections: string[];
  /** Tags that name no type. */
  tags: string[];
}

/**
 * Reads the checkboxes of a Markdown text: `- [ ]` is todo, `- [x]` done, `- [-]` cancelled; an indented one is
 * below the one above it, other indented lines are its description. `#bug`, `(P1)` and `(2h)` anywhere in a title
 * say type, priority and estimate. Never throws; text without checkboxes has no entries.
 *
 *     readChecklist('- [ ] Take cards #feature (P2)')[0]; // {title: 'Take cards', task_type: 'feature', priority: 2, …}
 */
export function readChecklist(markdown: string): ChecklistEntry[] {
  const reader = new Reader();
  for (const line of markdown.split(/\r?\n/)) reader.read(line);
  return reader.entries();
}

interface Read {
  indent: number;
  place: number;
  entry: ChecklistEntry;
  lines: string[];
}

class Reader {
  readonly #read: Read[] = [];
  /** The headings above, outermost first. */
  #headings: { level: number; title: string }[] = [];
  /** The items that the next line may be below of, outermost first. */
  #above: Read[] = [];
  #inFence = false;

  read(line: string): void {
    if (fence.test(line)) this.#inFence = !this.#inFence;
    const box = this.#inFence ? null : checkbox.exec(line);
    const title = this.#inFence ? null : heading.exec(line);
    if (box) this.#open(columns(box[1]!), box[2]!, box[3]!);
    else if (title) this.#section(title[1]!.length, withoutClosing(title[2]!));
    else this.#describe(line);
  }

  entries(): ChecklistEntry[] {
    return this.#read.map(({ entry, lines, indent }) => ({
      ...entry,
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
    this.#above = this.#above.filter((read) => read.indent < indent);
    const entry: ChecklistEntry = {
      ...readTitle(text),
      description: null,
      status: mark === ' ' || mark === '/' ? 'todo' : mark.toLowerCase() === 'x' ? 'done' : 'cancelled',
      parent: this.#above.at(-1)?.place ?? null,
      sections: this.#headings.map((above) => above.title),
    };
    const read = { indent, place: this.#read.length, entry, lines: [] };
    this.#read.push(read);
    this.#above.push(read);
  }

  #describe(line: string): void {
    const read = this.#above.at(-1);
    if (!read) return;
    // Text that is not indented ends the list it stands below.
    if (line.trim() !== '' && columns(line) <= read.indent)
      this.#above = this.#above.filter((above) => above.indent < columns(line));
    this.#above.at(-1)?.lines.push(line);
  }
}

/** `## Plan ##` may end as it begins. By hand: as a pattern it takes the square of a line's length. */
function withoutClosing(title: string): string {
  let end = title.length;
  while (title[end - 1] === '#') end--;
  return title.slice(0, end).trimEnd() || title.slice(0, 1);
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
    priority: priority ? Number(priority[1]) : null,
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
