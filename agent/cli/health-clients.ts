import { repositoryRoot } from '../setup/agent-name.ts';
import { clients, type Client } from '../setup/client-names.ts';
import { isWell } from '../setup/run.ts';
import { setup } from '../setup/setup.ts';
import type { Cli } from './context.ts';
import type { Check } from './health.ts';

/** How the coding agents stand that were set up in this repository; those that were not are no fault. */
export async function clientChecks({ env }: Cli): Promise<Check[]> {
  const checks = await Promise.all(clients.map((client) => clientCheck(client, env)));
  return checks.flatMap((check) => check ?? []);
}

async function clientCheck(client: Client, env: NodeJS.ProcessEnv): Promise<Check | null> {
  const { outcomes } = await setup({
    client,
    mode: 'check',
    folder: repositoryRoot('.'),
    env,
    bin: process.argv[1]!,
    askProject: () => Promise.resolve(''),
  });
  // The server comes first; what else there is may be another client's too.
  const [server] = outcomes;
  if (!server || server.did === 'missing' || server.did === 'absent') return null;
  if (isWell(outcomes)) return { name: client, state: 'ok', message: 'It is set up here' };
  const files = [...new Set(outcomes.filter((one) => !isWell([one])).map(({ file }) => file))].join(', ');
  const advice = `Bring it up to date: switchyard setup ${client}`;
  return { name: client, state: 'warn', message: `It is set up here, but not as now: ${files}`, advice };
}
