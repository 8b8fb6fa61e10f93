import { listProjects, whoAmI } from '#lib/api.ts';
import { closeIfUnauthenticated, session } from '#lib/session.svelte.ts';
import type { Project } from '@switchyard/shared/project';
import type { LayoutLoad } from './$types';

export const ssr = false;

/** While the hub is away, what is known stays. */
let known: Project[] = [];

export const load: LayoutLoad = async ({ depends }): Promise<{ projects: Project[]; problem: string }> => {
  depends('hub:projects');
  try {
    const [projects, caller] = await Promise.all([listProjects(), whoAmI()]);
    session.caller = caller;
    known = projects;
    return { projects, problem: '' };
  } catch (error) {
    if (closeIfUnauthenticated(error)) return { projects: (known = []), problem: '' };
    return { projects: known, problem: error instanceof Error ? error.message : String(error) };
  }
};
