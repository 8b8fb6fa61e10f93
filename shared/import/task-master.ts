import { planOf, type Draft } from './draft.ts';
import { idOf, isFields, listOf, shown, textOf, type Fields } from './fields.ts';
import { nestingMax, nestsDeeper } from './json.ts';
import { priorityDefault, priorityLast, type Plan, type Warning } from './plan.ts';
import { withSections } from './text.ts';
import { Unreadable } from './unreadable.ts';

const priorities = new Map([
  ['critical', 0],
  ['high', 2],
  ['medium', priorityDefault],
  ['low', 8],
]);

/** What each state becomes, and what is to be said about it. */
const states = new Map<string, { status: Draft['status']; note?: string }>([
  ['pending', { status: 'todo' }],
  ['in-progress', { status: 'todo', note: 'in-progress: nobody here holds it; todo here' }],
  ['review', { status: 'todo', note: 'review: todo here, to be looked at' }],
  ['blocked', { status: 'todo' }],
  ['deferred', { status: 'todo', note: 'deferred: todo here, with the last priority' }],
  ['done', { status: 'done' }],
  ['completed', { status: 'done' }],
  ['cancelled', { status: 'cancelled' }],
]);

const tooDeep = `This file is nested deeper than ${nestingMax} levels, which Task Master never writes. Export it anew.`;

/** The tag that Task Master works in unless told otherwise; its ids stay as they are. */
const mainTag = 'master';

/**
 * Reads Task Master's `tasks.json`, with its tags or in the older form without. Subtasks become children of
 * their task. What becomes of each field is in docs/import.md. Throws `Unreadable` when it is nested without end.
 */
export function parseTaskMaster(file: unknown): Plan {
  if (nestsDeeper(file)) throw new Unreadable(tooDeep);
  const warnings: Warning[] = [];
  const drafts = tagsOf(file).flatMap(([tag, tasks]) => {
    const prefix = tag === mainTag ? '' : `${tag}:`;
    return tasks.flatMap((task) => draftsOf(task, { prefix, parent: null }, warnings));
  });
  return planOf('task-master', drafts, warnings);
}

/** Each tag with its tasks. */
export function tagsOf(file: unknown): [string, unknown[]][] {
  if (!isFields(file)) return [];
  if (Array.isArray(file.tasks)) return [[mainTag, file.tasks]];
  return Object.entries(file).flatMap(([tag, content]): [string, unknown[]][] =>
    isFields(content) && Array.isArray(content.tasks) ? [[tag, content.tasks]] : [],
  );
}

interface Place {
  /** Of every key within the tag. */
  prefix: string;
  parent: Draft | null;
}

function draftsOf(task: unknown, place: Place, warnings: Warning[]): Draft[] {
  const { prefix, parent } = place;
  const id = isFields(task) ? idOf(task.id) : '';
  if (!isFields(task) || id === '') {
    warnings.push({ kind: 'unreadable', key: parent?.key ?? prefix, message: 'a task without an id' });
    return [];
  }
  // A subtask's id counts within its task, though some files already write it in full.
  const key = parent === null ? prefix + id : id.includes('.') ? prefix + id : `${parent.key}.${id}`;
  const draft: Draft = {
    key,
    title: textOf(task.title),
    description: withSections(textOf(task.description), {
      Details: textOf(task.details),
      'Test strategy': textOf(task.testStrategy),
    }),
    task_type: null,
    priority: priorityOf(task, key, parent, warnings),
    parentKey: parent?.key ?? null,
    dependencyKeys: listOf(task.dependencies).map((to) => dependencyKey(idOf(to), place)),
    status: statusOf(task, key, warnings),
    estimated_hours: null,
    result_summary: null,
    metadata: {
      status: textOf(task.status),
      priority: textOf(task.priority),
      assignee: textOf(task.assignee),
    },
  };
  return [
    draft,
    ...listOf(task.subtasks).flatMap((one) => draftsOf(one, { prefix, parent: draft }, warnings)),
  ];
}

/** `1.2` is a full id; a plain number means a task, and within subtasks a sibling. */
function dependencyKey(id: string, { prefix, parent }: Place): string {
  return parent === null || id.includes('.') ? prefix + id : `${parent.key}.${id}`;
}

function statusOf(task: Fields, key: string, warnings: Warning[]): Draft['status'] {
  const given = textOf(task.status);
  const { status, note } = states.get(given) ?? { status: 'todo', note: `"${given}" is unknown: todo here` };
  if (note) warnings.push({ kind: 'status', key, message: note });
  return status;
}

/** Subtasks have no priority of their own: they are as urgent as their task. */
function priorityOf(task: Fields, key: string, parent: Draft | null, warnings: Warning[]): number {
  if (task.status === 'deferred') return priorityLast;
  if (task.priority === undefined || task.priority === null) return parent?.priority ?? priorityDefault;
  const priority = priorities.get(textOf(task.priority).toLowerCase());
  if (priority === undefined) {
    warnings.push({ kind: 'value', key, message: `a priority of ${shown(task.priority)}` });
  }
  return priority ?? priorityDefault;
}
