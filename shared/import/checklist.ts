import { readChecklist } from '../checklist.ts';
import { planOf, type Draft } from './draft.ts';
import { priorityDefault, type Plan } from './plan.ts';
import { sha256 } from './sha256.ts';

const keyLengthMax = 200;

/** Reads the checkboxes of a Markdown text as `readChecklist` does, and gives each a key to be known by again. */
export function parseChecklist(markdown: string): Plan {
  const keyOf = keys();
  /** Where in the text each stands: headings and titles above it, and its own. */
  const paths: string[][] = [];
  const drafts: Draft[] = [];
  for (const { parent, sections, tags, priority, ...fields } of readChecklist(markdown)) {
    const path = [...(parent === null ? sections : paths[parent]!), fields.title];
    paths.push(path);
    drafts.push({
      key: keyOf(path),
      ...fields,
      priority: priority ?? priorityDefault,
      parentKey: parent === null ? null : drafts[parent]!.key,
      dependencyKeys: [],
      result_summary: null,
      metadata: { section: sections.join(' / '), tags },
    });
  }
  return planOf('checklist', drafts, []);
}

/** A path names an item as long as its text stands; equal ones are counted. */
function keys(): (path: string[]) => string {
  const timesSeen = new Map<string, number>();
  return (path) => {
    const whole = path.join(' / ').toWellFormed().replaceAll('\0', '');
    const key = whole.length <= keyLengthMax ? whole : shortened(whole);
    const times = (timesSeen.get(key) ?? 0) + 1;
    timesSeen.set(key, times);
    return times === 1 ? key : `${key} (${times})`;
  };
}

const shortened = (key: string) =>
  `${key.slice(0, keyLengthMax - 18).toWellFormed()}…${sha256(key).slice(0, 16)}`;
