import type { BenchHub } from '../../../bench/hub.ts';

const perCreate = 1_000;

/** A project of so many items. */
export async function fill(hub: BenchHub, name: string, count: number): Promise<void> {
  await ask(hub, '/api/projects', { name });
  for (let made = 0; made < count; made += perCreate) {
    const items = Array.from({ length: Math.min(perCreate, count - made) }, (_, at) => draft(made + at));
    await ask(hub, `/api/projects/${name}/items`, { items });
  }
}

/** Items of all priorities, each with a file of its own. */
export const draft = (at: number) => ({
  title: `Item ${at + 1} of a project that is too large to be read`,
  priority: at % 10,
  files_planned: [`src/part-${at}.ts`],
});

async function ask(hub: BenchHub, path: string, body: unknown): Promise<void> {
  const headers = { authorization: `Bearer ${hub.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${hub.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}
