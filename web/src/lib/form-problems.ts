import { HubError } from '#lib/api.ts';

interface Issue {
  path: string;
  message: string;
}

/** What of its input the hub refused, where it said so. */
export const issuesOf = (error: unknown): Issue[] =>
  error instanceof HubError && Array.isArray(error.details.issues) ? (error.details.issues as Issue[]) : [];

/** Why nothing came of a form: by field, or under "" what is about none of them. `blank` says what an empty one lacks. */
export function formProblems(error: unknown, blank: Record<string, string>): Record<string, string> {
  const problems = {
    ...Object.fromEntries(issuesOf(error).map(({ path, message }) => [path, `${message}.`])),
    ...blank,
  };
  if (Object.keys(problems).length > 0) return problems;
  return { '': error instanceof Error ? error.message : String(error) };
}
