// The load generator: one process with all the connections, told by bench/main.ts what to do.
import type { CommandInput, CommandName, CommandOutput } from '@switchyard/shared/commands';
import { serveTasks } from '../child.ts';
import { ask, connect, connectMany, type Connection } from './connections.ts';
import { runCycles, type CyclesWish } from './cycles.ts';
import { runPickups } from './pickups.ts';

/** Open connections by the name they were given. */
const groups = new Map<string, Connection[]>();
let operator: Connection;

const perCreate = 1_000;
// With it, the answer to a claim is the size that answers have in real projects: about 1.3 kB.
const description =
  'Carry the change through every caller, keep the old name for one release, and add a test that fails without it. ' +
  'See the note in the module about the order of the steps.';

const command = <K extends CommandName>(name: K, input: CommandInput<K>): Promise<CommandOutput<K>> =>
  ask(operator, name, input);

let projects = 0;

const tasks = {
  /** The connection that prepares things; everything else may be asked for after it. */
  operate: async ({ url, token }: { url: string; token: string }): Promise<void> => {
    operator = await connect(url, { token });
  },

  createProject: async ({ name }: { name: string }): Promise<string> => {
    const { project } = await command('project.create', { name: `${name}-${++projects}` });
    return project.id;
  },

  createItems: async (wish: {
    project: string;
    count: number;
    status?: 'done';
    files?: number;
  }): Promise<void> => {
    const { project, count, status, files = 0 } = wish;
    for (let made = 0; made < count; made += perCreate) {
      const items = Array.from({ length: Math.min(perCreate, count - made) }, (_, place) => ({
        title: `Bring part ${made + place} of the backlog over to the new interface`,
        description,
        task_type: 'feature',
        ...(status && { status, result_summary: 'Done, and the tests pass.' }),
        ...(files > 0 && {
          files_planned: Array.from({ length: files }, (_, n) => `src/part-${made + place}/${n}.ts`),
        }),
      }));
      await command('item.create', { project, items });
    }
  },

  /** Opens connections: of agents where there is a project, otherwise plain ones. */
  open: async (wish: {
    group: string;
    url: string;
    token: string;
    project?: string;
    count: number;
  }): Promise<void> => {
    const { group, url, token, project, count } = wish;
    const auth = (place: number) => (project ? { token, project, agent_id: `agent-${place}` } : { token });
    groups.set(group, await connectMany(count, url, auth));
  },

  close: async ({ group }: { group: string }): Promise<void> => {
    for (const socket of groups.get(group) ?? []) socket.disconnect();
    groups.delete(group);
  },

  cycles: ({ group, ...wish }: CyclesWish & { group: string }) => runCycles(groups.get(group)!, wish),

  pickups: ({ group, ...wish }: { group: string; project: string; count: number }) =>
    runPickups(operator, groups.get(group)![0]!, wish),

  /** Follows a project's log as a board does. */
  watch: async ({ url, token, project }: { url: string; token: string; project: string }): Promise<void> => {
    const watcher = await connect(url, { token });
    await ask(watcher, 'project.watch', { project });
    groups.set('watch', [watcher]);
  },
};
export type GeneratorTasks = typeof tasks;

serveTasks(tasks);
