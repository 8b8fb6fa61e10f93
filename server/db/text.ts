import type { Fragment, Sql } from './database.ts';

/**
 * A piece of SQL that was written in this code base: it is made of literals, numbers and other such pieces only, so
 * no input can get into it; values are parameters. Composed once, when its module loads: composing a statement of
 * 12 kB anew for every batch took the hub from 0.29 to 0.46 ms of CPU a statement.
 */
export class SqlText {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  static of(strings: TemplateStringsArray, ...parts: (SqlText | number)[]): SqlText {
    const written = parts.map((part) => (typeof part === 'number' ? String(part) : part.text));
    return new SqlText(strings.reduce((all, string, place) => all + written[place - 1] + string));
  }
}

/** Tag of a piece of SQL: text`SELECT 1`. */
export const text = (strings: TemplateStringsArray, ...parts: (SqlText | number)[]): SqlText =>
  SqlText.of(strings, ...parts);

/** A piece within a tagged query of the client. */
export const within = (sql: Sql, part: SqlText): Fragment => sql.unsafe(part.text);
