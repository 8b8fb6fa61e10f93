import { randomUUID } from 'node:crypto';

/** JSON text in the place of the value that it says. */
class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** Within {@link stringify} a mark for the text; to anybody else what it says. */
  toJSON(): unknown {
    if (!collected) return JSON.parse(this.text);
    return mark + (collected.push(this.text) - 1);
  }
}

// No text from outside can hold it.
const mark = `${randomUUID()}:`;
const marks = new RegExp(`"${mark}(\\d+)"`, 'g');
/** The texts of the value that is being written just now. */
let collected: string[] | null = null;

/**
 * A value that PostgreSQL wrote as JSON text and that nobody here reads: it goes out as it came. Parsing and writing
 * an item again took 8 % of the hub's time. To read one, parse it: its fields are not there.
 */
export function verbatim<T>(text: string): T {
  return new JsonText(text) as T;
}

/** `JSON.stringify` for values that may hold {@link verbatim} ones. */
export function stringify(value: unknown): string {
  collected = [];
  try {
    const text = JSON.stringify(value);
    const texts = collected;
    return texts.length === 0 ? text : text.replace(marks, (_, place: string) => texts[Number(place)]!);
  } finally {
    collected = null;
  }
}

/** The same value with everything in it there to be read. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
