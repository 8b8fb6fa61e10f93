import { checkbox } from '@switchyard/shared/checklist';
import { Misuse } from '../command.ts';
import { parseBeads } from './beads.ts';
import { parseChecklist } from './checklist.ts';
import { idOf, isFields } from './fields.ts';
import type { Plan } from './plan.ts';
import { parseTaskMaster, tagsOf } from './task-master.ts';

/**
 * Reads a backlog of any known format, told by its content. Throws `Misuse` when it is none.
 *
 *     const plan = parseBacklog(await readFile('issues.jsonl', 'utf8'));
 */
export function parseBacklog(text: string): Plan {
  const content = text.replace(/^\ufeff/, '');
  const json = parseOrNull(content);
  if (tagsOf(json).length > 0) return parseTaskMaster(content);
  if (
    Array.isArray(json) ? json.some(isIssue) : content.split('\n').some((line) => isIssue(parseOrNull(line)))
  ) {
    return parseBeads(content);
  }
  if (content.split(/\r?\n/).some((line) => checkbox.test(line))) return parseChecklist(content);
  throw new Misuse(
    'This is no backlog: expected Beads JSONL, Task Master tasks.json, or Markdown with - [ ] items.',
  );
}

function isIssue(value: unknown): boolean {
  return isFields(value) && idOf(value.id) !== '' && 'title' in value;
}

function parseOrNull(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
