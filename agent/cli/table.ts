import stringWidth from 'string-width';
import type { Output } from './output.ts';

export interface Column<Row> {
  title: string;
  /** What stands in it, without colours. */
  of: (row: Row) => string;
  /** Colours the text, which has its final width by then. */
  paint?: (text: string, row: Row) => string;
  align?: 'right';
  /** Is cut when the terminal is too narrow. One column at most. */
  flexible?: boolean;
}

const gap = '  ';
const flexibleMin = 20;

/** Rows under titles, aligned also where letters are wide; cut to the terminal's width, whole in a pipe. */
export function table<Row>(out: Output, rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const shown = columns.filter((column) => rows.some((row) => column.of(row) !== ''));
  const widths = shown.map((column) =>
    Math.max(stringWidth(column.title), ...rows.map((row) => stringWidth(column.of(row)))),
  );
  const flexible = shown.findIndex((column) => column.flexible);
  if (flexible >= 0) {
    const others = widths.reduce((sum, width, n) => sum + (n === flexible ? 0 : width + gap.length), 0);
    widths[flexible] = Math.max(flexibleMin, Math.min(widths[flexible]!, out.width - others));
  }
  const line = (
    cell: (column: Column<Row>) => string,
    paint: (text: string, column: Column<Row>) => string,
  ) =>
    shown
      .map((column, n) => paint(pad(cut(cell(column), widths[n]!), widths[n]!, column.align), column))
      .join(gap)
      .trimEnd();
  return [
    line(
      ({ title }) => title,
      (text) => out.style('dim', text),
    ),
    ...rows.map((row) =>
      line(
        (column) => column.of(row),
        (text, column) => column.paint?.(text, row) ?? text,
      ),
    ),
  ].join('\n');
}

/** Text of at most `width` columns, an ellipsis for what was cut. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    const next = stringWidth(segment);
    if (used + next > width - 1) break;
    kept += segment;
    used += next;
  }
  return `${kept}…`;
}

function pad(text: string, width: number, align: 'right' | undefined): string {
  const spaces = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'right' ? spaces + text : text + spaces;
}
