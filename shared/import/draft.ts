import { limits } from '../limits.ts';
import { byteLength } from './bytes.ts';
import { settleLinks } from './links.ts';
import type { Plan, PlanItem, System, Warning } from './plan.ts';
import { shown } from './fields.ts';
import { fitLine, fitProse } from './text.ts';

const keyLengthMax = 1_000;

/** An item as a parser read it: its texts may be anything, its metadata is what is kept besides the source. */
export type Draft = Omit<PlanItem, 'max_attempts'>;

/** Makes a valid plan of what a parser read: texts fit, keys are unique, links hold. Every loss is a warning. */
export function planOf(system: System, drafts: Draft[], warnings: Warning[]): Plan {
  const found = [...warnings];
  const items = withoutRepeats(withKeys(drafts, found), found).map((draft) => fit(system, draft, found));
  found.push(...settleLinks(items), ...openBelowFinished(items));
  return { system, items, warnings: found };
}

/** Without an id that the hub can keep, an item would not be known again. */
function withKeys(drafts: Draft[], warnings: Warning[]): Draft[] {
  return drafts.filter(({ key }) => {
    const fits = key.length <= keyLengthMax && key.isWellFormed() && !key.includes('\0');
    if (!fits) warnings.push({ kind: 'unreadable', key: shown(key), message: 'an id that cannot be kept' });
    return fits;
  });
}

/** Of two items with one key the later one counts, as the later line of a log does. */
function withoutRepeats(drafts: Draft[], warnings: Warning[]): Draft[] {
  const byKey = new Map<string, Draft>();
  for (const draft of drafts) {
    if (byKey.has(draft.key))
      warnings.push({ kind: 'duplicate', key: draft.key, message: 'the last one counts' });
    byKey.set(draft.key, draft);
  }
  return [...byKey.values()];
}

function fit(system: System, draft: Draft, warnings: Warning[]): PlanItem {
  const warn = (message: string) => warnings.push({ kind: 'text', key: draft.key, message });
  const title = fitLine(draft.title);
  if (title.text === '') warn('has no title: its id stands in');
  else if (!title.kept) warn('title');
  // What a shortened title lost is not lost.
  const cutTitle = draft.title.length > limits.titleLength ? draft.title : '';
  const description = fitProse([cutTitle, draft.description ?? ''].filter(Boolean).join('\n\n'));
  if (!description.kept) warn('description');
  const result = draft.result_summary === null ? null : fitProse(draft.result_summary);
  if (result && !result.kept) warn('result');
  return {
    ...draft,
    title: title.text || fitLine(draft.key).text,
    description: description.text || null,
    estimated_hours: hoursOf(draft, warnings),
    result_summary: draft.status === 'done' ? (result?.text ?? null) : null,
    metadata: metadataOf(system, draft, warnings),
  };
}

/** They stay open, for the file says so; but a parent that is done while work below it goes on is worth a look. */
function openBelowFinished(items: PlanItem[]): Warning[] {
  const byKey = new Map(items.map((item) => [item.key, item]));
  return items.flatMap(({ key, status, parentKey }): Warning[] => {
    const parent = parentKey === null ? undefined : byKey.get(parentKey);
    if (status !== 'todo' || !parent || parent.status === 'todo') return [];
    return [{ kind: 'below', key, message: `below ${parent.key}, which is ${parent.status}` }];
  });
}

function hoursOf({ key, estimated_hours }: Draft, warnings: Warning[]): number | null {
  if (estimated_hours === null || (estimated_hours >= 0 && estimated_hours <= 1_000_000))
    return estimated_hours;
  warnings.push({ kind: 'value', key, message: `an estimate of ${estimated_hours} hours` });
  return null;
}

/** `metadata.source` is what a second import knows an item by; the rest is kept for people to look up. */
function metadataOf(system: System, draft: Draft, warnings: Warning[]): Record<string, unknown> {
  const source = { system, id: draft.key };
  const imported = cleaned(draft.metadata) as Record<string, unknown>;
  const metadata = Object.keys(imported).length > 0 ? { source, imported } : { source };
  if (byteLength(JSON.stringify(metadata)) <= limits.metadataBytes) return metadata;
  warnings.push({ kind: 'text', key: draft.key, message: 'metadata larger than 64 KiB, left out' });
  return { source };
}

/** Parsers put only strings and lists into metadata; what is empty is left out. */
function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return fitProse(value).text;
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  const given = Object.entries(value).filter(
    ([, one]) => one !== undefined && one !== '' && !isEmptyList(one),
  );
  return Object.fromEntries(given.map(([name, one]) => [name, cleaned(one)]));
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;
