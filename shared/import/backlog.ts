import { checkbox } from '../checklist.ts';
import { parseBeads } from './beads.ts';
import { parseChecklist } from './checklist.ts';
import { idOf, isFields } from './fields.ts';
import { brokenJson, jsonOrNothing } from './json.ts';
import type { Plan } from './plan.ts';
import { parseTaskMaster, tagsOf } from './task-master.ts';
import { Unreadable } from './unreadable.ts';

/**
 * Reads a backlog of any known format, told by its content. Throws `Unreadable` when it is none.
 *
 *     const plan = parseBacklog(await readFile('issues.jsonl', 'utf8'));
 */
export function parseBacklog(text: string): Plan {
  const content = text.replace(/^\ufeff/, '');
  const json = jsonOrNothing(content);
  if (tagsOf(json).length > 0) return parseTaskMaster(json);
  if (
    Array.isArray(json) ? json.some(isIssue) : linesOf(content).some((line) => isIssue(jsonOrNothing(line)))
  )
    return parseBeads(Array.isArray(json) ? json : content);
  if (linesOf(content).some((line) => checkbox.test(line))) return parseChecklist(content);
  if (json === undefined && /^\s*[[{]/.test(content) && !isJson(firstLineOf(content)))
    throw brokenJson(content);
  throw new Unreadable(
    'This is no backlog: expected Beads JSONL, Task Master tasks.json, or Markdown with - [ ] items.',
  );
}

const isJson = (text: string) => jsonOrNothing(text) !== undefined;
const firstLineOf = (text: string) => text.trimStart().split('\n', 1)[0]!;
const linesOf = (text: string) => text.split(/\r?\n/);

function isIssue(value: unknown): boolean {
  return isFields(value) && idOf(value.id) !== '' && 'title' in value;
}
