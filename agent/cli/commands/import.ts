import { buildCommand } from '@stricli/core';
import { Misuse, readTextFile } from '../../command.ts';
import { ensureProject, projectNameOf } from '../../import/project.ts';
import { readBacklog } from '../../import/read.ts';
import type { Cli } from '../context.ts';
import { docs, projectFlag, toggle, type ProjectFlag } from '../flags.ts';
import { bring } from '../bring.ts';
import { readStdin } from '../stdin.ts';

interface Flags extends ProjectFlag {
  readonly warnings?: boolean;
}

export const importBacklog = buildCommand({
  async func(this: Cli, flags: Flags, file: string) {
    const given = flags.project || this.env.SWITCHYARD_PROJECT;
    if (file === '-' && !given) throw new Misuse('What comes from stdin has no name: say --project NAME.');
    const text = file === '-' ? await readStdin(this) : await readTextFile(file);
    const project = given || projectNameOf(file);
    const plan = readBacklog(text); // what is none makes no project
    await ensureProject(this.call, project);
    await bring(this, plan, { project, warnings: flags.warnings });
  },
  parameters: {
    flags: {
      ...projectFlag,
      project: {
        ...projectFlag.project,
        brief: 'Made when it is new (default: SWITCHYARD_PROJECT, or the file’s name)',
      },
      warnings: toggle('List every warning, not a few of each kind'),
    },
    positional: {
      kind: 'tuple',
      parameters: [{ parse: String, placeholder: 'FILE', brief: 'Told by its content; - is stdin' }],
    },
  },
  docs: docs({
    brief: 'Bring a backlog: a Markdown checklist, Beads or Task Master',
    usage: 'FILE [flags]',
    examples: [['TODO.md --project shop', 'What the checklist has and the project has not']],
    details: 'Importing a file again adds only what is new.',
  }),
});
