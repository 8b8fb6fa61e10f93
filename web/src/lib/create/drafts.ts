import { blankFields, type Fields } from './fields.ts';

/** What somebody is about to create: kept while the page lives, also when the hub asks to sign in again meanwhile. */
export interface Draft {
  fields: Fields;
  checklist: string;
}

const drafts = new Map<string, Draft>();

export const draftOf = (project: string): Draft =>
  structuredClone(drafts.get(project)) ?? { fields: blankFields(), checklist: '' };

export function keepDraft(project: string, draft: Draft | undefined): void {
  if (draft) drafts.set(project, draft);
  else drafts.delete(project);
}
