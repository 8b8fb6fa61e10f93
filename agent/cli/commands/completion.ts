import {
  buildInstallCommand,
  buildUninstallCommand,
  type StricliAutoCompleteContext,
} from '@stricli/auto-complete';
import { buildCommand, buildRouteMap, type Command } from '@stricli/core';
import type { Cli } from '../context.ts';
import { docs, jsonFlag, type JsonFlag } from '../flags.ts';
import { propose as proposeWords } from '../propose.ts';

/** Behind the `--` come the words so far, which may look like flags. */
const proposeCommand = 'switchyard completion propose --';

const script = `# Read it in ~/.bashrc: source <(switchyard completion print)
__switchyard_complete() { export COMP_LINE; COMPREPLY=( $(${proposeCommand} $COMP_LINE) ); return 0; }
complete -o default -o nospace -F __switchyard_complete switchyard
`;

const print = buildCommand({
  func(this: Cli, _: JsonFlag) {
    this.out.result({ shell: 'bash', script }, () => script);
  },
  parameters: { flags: jsonFlag },
  docs: docs({
    brief: 'Print what bash has to read',
    usage: '[--json]',
    examples: [['', 'For ~/.bashrc: source <(switchyard completion print)']],
    details: 'zsh reads it too, after: autoload -U +X bashcompinit && bashcompinit',
  }),
});

/** What the shell calls at every press of the tab key. */
const propose = buildCommand({
  async func(this: Cli, _: object, ...words: string[]) {
    const { buildApp } = await import('../app.ts'); // which loads this
    const app = await buildApp(words.length > 2 ? words[1] : undefined, () => {});
    const proposed = await proposeWords(this, app, words);
    this.out.result(proposed, () => proposed.join('\n'));
  },
  parameters: {
    positional: {
      kind: 'array',
      parameter: { parse: String, placeholder: 'WORD', brief: 'The line so far' },
    },
  },
  docs: { brief: 'Propose how a command line may go on' },
});

/** The package asks for more of `process` than it uses; at run time it has the process itself. */
const forCli = (command: Command<StricliAutoCompleteContext>) => command as unknown as Command<Cli>;

export const completion = buildRouteMap({
  routes: {
    install: forCli(buildInstallCommand('switchyard', { bash: proposeCommand })),
    uninstall: forCli(buildUninstallCommand('switchyard', { bash: true })),
    print,
    propose,
  },
  docs: {
    brief: 'Let bash complete commands: into ~/.bashrc, out of it, or print it',
    hideRoute: { propose: true },
  },
});
