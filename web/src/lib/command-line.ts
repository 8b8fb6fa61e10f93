// Commands to be copied into a terminal.
const atHome = ['127.0.0.1', 'localhost', '[::1]'];
const usualPort = '4800';

/**
 * `npx switchyard …` as it works where it is pasted: on the hub's own machine it finds the hub by itself, unless that
 * listens elsewhere; any other needs its address, and a token.
 */
export function commandLine(words: string): string {
  const { hostname, port, origin } = location;
  const here = atHome.includes(hostname);
  const settings = [
    ...(here && port === usualPort ? [] : [`SWITCHYARD_URL=${origin}`]),
    ...(here ? [] : ['SWITCHYARD_TOKEN=swy_…']),
  ];
  return [...settings, 'npx switchyard', words].join(' ');
}
