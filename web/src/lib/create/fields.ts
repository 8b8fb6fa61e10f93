// What a form about an item holds: everything as it is typed, under the names of the wire.
import type { CommandInput } from '@switchyard/shared/commands';
import type { Item } from '@switchyard/shared/item';
import { HubError } from '#lib/api.ts';
import { issuesOf } from '#lib/form-problems.ts';

export const labels = {
  title: 'Title',
  description: 'Description',
  task_type: 'Type',
  priority: 'Priority',
  files_planned: 'Planned files',
  dependencies: 'Waits for',
  parent_item_id: 'Part of',
  estimated_hours: 'Hours',
  max_attempts: 'Attempts at most',
};
export type FieldName = keyof typeof labels;
export type Fields = Record<FieldName, string>;
export const fieldNames = Object.keys(labels) as FieldName[];

/** What is wrong, by field; under "" what is about none of them. */
export type Problems = Partial<Record<FieldName | '', string>>;

/** Fields as the hub takes them, links by id. */
export type ItemPatch = Omit<CommandInput<'item.update'>, 'id' | 'version' | 'request_id'>;

export const blankFields = (): Fields => ({
  title: '',
  description: '',
  task_type: '',
  priority: '5',
  files_planned: '',
  dependencies: '',
  parent_item_id: '',
  estimated_hours: '',
  max_attempts: '1',
});

/** An item as its form shows it; `numberOf` knows the items it names. */
export function fieldsOf(item: Item, numberOf: (id: string) => number | undefined): Fields {
  const name = (id: string) => `#${numberOf(id) ?? '?'}`;
  return {
    title: item.title,
    description: item.description ?? '',
    task_type: item.task_type ?? '',
    priority: String(item.priority),
    files_planned: item.files_planned.join('\n'),
    dependencies: item.dependencies.map(name).join(', '),
    parent_item_id: item.parent_item_id ? name(item.parent_item_id) : '',
    estimated_hours: item.estimated_hours === null ? '' : String(item.estimated_hours),
    max_attempts: String(item.max_attempts),
  };
}

/** The lines, or the words between commas and blanks, that say something. */
const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
export const words = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

/** What is no number goes as it is: the hub says so at the field. */
function numberIn(text: string): number {
  const number = Number(text.replace(',', '.'));
  return (text.trim() === '' || Number.isNaN(number) ? text : number) as number;
}

/** One field as the hub takes it; `idOf` knows the items by what was typed. */
export function wireOf(name: FieldName, fields: Fields, idOf: (word: string) => string): ItemPatch {
  const text = fields[name];
  switch (name) {
    case 'title':
      return { title: text.trim() };
    case 'description':
      return { description: text.trim() === '' ? null : text };
    case 'task_type':
      return { task_type: text.trim() || null };
    case 'priority':
      return { priority: numberIn(text) };
    case 'files_planned':
      return { files_planned: lines(text) };
    case 'dependencies':
      return { dependencies: words(text).map(idOf) };
    case 'parent_item_id':
      return { parent_item_id: text.trim() ? idOf(text.trim()) : null };
    case 'estimated_hours':
      return { estimated_hours: text.trim() ? numberIn(text) : null };
    case 'max_attempts':
      return { max_attempts: numberIn(text) };
  }
}

/** The hub's refusal, at the fields it is about. */
export function problemsOf(error: unknown, fields: Fields): Problems {
  const problems: Problems = {};
  for (const { path, message } of issuesOf(error)) {
    const [name = '', place] = path.split('.');
    const field = name in labels ? (name as FieldName) : '';
    problems[field] ??= field === '' ? `${path}: ${message}` : phrase(field, place, message, fields);
  }
  if (Object.keys(problems).length > 0) return problems;
  const message = error instanceof Error ? error.message : String(error);
  const circular = error instanceof HubError && error.code === 'DEPENDENCY_CYCLE';
  return circular ? { dependencies: message } : { '': message };
}

function phrase(field: FieldName, place: string | undefined, message: string, fields: Fields): string {
  if (field === 'title' && fields.title.trim() === '') return 'Say in a line what is to be done.';
  if (place === undefined) return /^[a-z]/.test(message) ? `${labels[field]} ${message}.` : `${message}.`;
  const entries = field === 'files_planned' ? lines(fields[field]) : words(fields[field]);
  return `${entries[Number(place)] ?? place}: ${message}.`;
}
