import { goto } from '$app/navigation';
import { resolve } from '$app/paths';
import { page } from '$app/state';
import type { screens } from '#lib/shell/screens.ts';

/** Where the last change leads, until it has come to pass: another one goes on from there. */
let intended: URL | undefined;

/** Changes what stands behind the `?` of this very page; null takes a parameter out. What is shown stays where it is. */
export function setParameters(changes: Record<string, string | null>, replaces = false): void {
  const url = new URL((intended ?? page.url).href);
  const before = url.search;
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  if (url.search === before) return;
  intended = url;
  // eslint-disable-next-line svelte/no-navigation-without-resolve -- this very page
  void goto(url, { reset: false, replace: replaces }).finally(() => {
    if (intended === url) intended = undefined;
  });
}

/** A screen of a project, with the filters of this one. */
export function screenAddress(id: (typeof screens)[number]['id'], project: string): string {
  return resolve(id, { project });
}

/** The number of an item in an address, which may have been written by hand: 0 if it is none. */
export const itemNumber = (text: string | null | undefined) =>
  /^[1-9][0-9]{0,8}$/.test(text ?? '') ? Number(text) : 0;

export const itemAddress = (project: string, number: number) =>
  resolve('/p/[project]/items/[number]', { project, number: String(number) });
