import { help, type Application, type RouteMap, type Command } from '@stricli/core';
import type { Cli } from './context.ts';
import { version } from './version.ts';

/** Commands under the headings of `switchyard --help`. */
export type Groups = Readonly<Record<string, Readonly<Record<string, Command<Cli> | RouteMap<Cli>>>>>;

const plain = help<Cli>({
  brief: 'Show this help',
  formatting: {
    useAliasInUsageLine: false,
    onlyRequiredInUsageLine: true,
    caseStyle: 'convert-camel-to-kebab',
  },
  defaultForRouteMap: true,
});

/** `--help`: of a command as stricli prints it; of switchyard as a whole a page that says where to begin. */
export function helpFor(groups: Groups): typeof plain {
  const flag = plain.flag!;
  return {
    ...plain,
    flag: {
      ...flag,
      async run(this, app: Application<Cli>, details) {
        if (details.result.target !== app.root) return flag.run.call(this, app, details);
        const heading = (text: string) =>
          details.ansiColorByStream.stdout ? `\x1b[1m${text}\x1b[22m` : text;
        this.process.stdout.write(page(groups, heading));
      },
    },
  };
}

function page(groups: Groups, heading: (text: string) => string): string {
  const width = Math.max(
    ...Object.values(groups).flatMap((routes) => Object.keys(routes).map((name) => name.length)),
  );
  const lists = Object.entries(groups).map(([title, routes]) => {
    const lines = Object.entries(routes).map(([name, { brief }]) => `  ${name.padEnd(width)}  ${brief}`);
    return `${heading(title)}\n${lines.join('\n')}\n`;
  });
  return `switchyard ${version}: work on one project with many agents at the same time.

  switchyard COMMAND --help    what a command does, with examples
  switchyard doctor            whether all is well here: hub, token, project

${lists.join('\n')}
${heading('Everywhere')}
  --json         one JSON value on stdout and nothing else: the result, or {"error": {code, message, details}}
  --project      which project, or SWITCHYARD_PROJECT; not needed where there is only one
  --agent        who acts, or SWITCHYARD_AGENT; user@host, when left out
  ITEM           an item's number, as 31 or '#31', or its uuid

  SWITCHYARD_URL and SWITCHYARD_TOKEN say where the hub is; on the hub's own machine neither is needed.

${heading('Exit codes')}
  0 done   1 refused   2 wrong call   3 hub unreachable   4 no way in   5 nothing ready   6 files are shared
`;
}
