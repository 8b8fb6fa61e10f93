import { buildCommand } from '@stricli/core';
import { createLogUpdate } from 'log-update';
import type { Snapshot } from '@switchyard/shared/protocol';
import { connect, type HubClient } from '../../client.ts';
import { Misuse } from '../../command.ts';
import type { Cli } from '../context.ts';
import { docs, projectFlag, toggle, type ProjectFlag } from '../flags.ts';
import { interrupted } from '../interrupt.ts';
import { tellOfOutages } from '../outages.ts';
import { statusText, type ProjectStatus } from '../status-text.ts';

interface Flags extends ProjectFlag {
  readonly watch?: boolean;
}

/** No one reads faster. */
const repaintMs = 250;

export const status = buildCommand({
  async func(this: Cli, flags: Flags) {
    const project = await this.project(flags.project);
    if (flags.watch) return repaint(this, project);
    const [{ project: found }, { progress }, { agents }, { conflicts }] = await Promise.all([
      this.call('project.get', { project }),
      this.call('project.progress', { project }),
      this.call('project.agents', { project }),
      this.call('project.conflicts', { project }),
    ]);
    const now: ProjectStatus = { project: found, progress, agents, conflicts };
    this.out.result(now, () => statusText(this.out, now));
  },
  parameters: {
    flags: { ...projectFlag, watch: toggle('Keep it on the screen, and up to date') },
  },
  docs: docs({
    brief: 'Say how far a project is, who works on what, and who shares files',
    usage: '[flags]',
    examples: [
      ['', 'How it stands now'],
      ['--watch', 'The same, kept up to date until Ctrl-C'],
    ],
  }),
});

async function repaint(cli: Cli, project: string): Promise<void> {
  if (!cli.out.isTerminal)
    throw new Misuse('--watch repaints a terminal. For a program there is switchyard watch --json.');
  const stop = interrupted();
  const paint = createLogUpdate(cli.out.stdout);
  const client = await connect({ ...cli.hub, project: null });
  try {
    await keepUpToDate(client, project, (now) => paint(fitted(cli, now)));
    const refused = await Promise.race([stop, client.ended, tellOfOutages(cli.out, client)]);
    if (refused) throw refused;
  } finally {
    paint.done();
    await client.close();
  }
}

/** The first lines matter most; log-update would keep the last. */
function fitted({ out }: Cli, now: ProjectStatus): string {
  const lines = statusText(out, now).split('\n');
  const most = out.height - 1;
  return lines.length <= most ? lines.join('\n') : [...lines.slice(0, most - 1), '…'].join('\n');
}

/** Calls `show` at once and after every change, a few times a second at most. */
async function keepUpToDate(
  client: HubClient,
  project: string,
  show: (now: ProjectStatus) => void,
): Promise<void> {
  let now = (await client.watch(project)) as Snapshot;
  let due: NodeJS.Timeout | undefined;
  const changed = (): void => {
    due ??= setTimeout(() => {
      due = undefined;
      show(now);
    }, repaintMs);
  };
  const take = (news: Partial<ProjectStatus>): void => {
    now = { ...now, ...news };
    changed();
  };
  show(now);
  client.on('project.progress', ({ progress }) => take({ progress }));
  client.on('project.agents', ({ agents }) => take({ agents }));
  client.on('project.event', ({ type }) => {
    if (!type.startsWith('conflict.')) return;
    void client.call('project.conflicts', { project }).then(take, () => {});
  });
  client.onConnect(
    () =>
      void client.watch(project).then(
        (snapshot) => take(snapshot as Snapshot),
        () => {},
      ),
  );
  // Times pass too: leases, and how long ago somebody was seen.
  setInterval(changed, 1_000).unref();
}
