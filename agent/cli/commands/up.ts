import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { buildCommand } from '@stricli/core';
import { checkoutRoot } from '../../checkout.ts';
import { Misuse } from '../../command.ts';
import { isFromHub } from '../../http.ts';
import { urlOfHub } from '../../hub-address.ts';
import type { Cli } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { docs, jsonFlag, type JsonFlag } from '../flags.ts';

const lookMs = 2_000;

export const up = buildCommand({
  async func(this: Cli, _: JsonFlag) {
    const url = urlOfHub(this.env);
    if (await answers(url))
      return this.out.result({ url, started: false }, () => `A hub answers at ${url} already.`);
    const root = checkoutRoot();
    if (root === null)
      throw new Misuse(
        'The hub is not part of this package. Start it in a checkout of Switchyard with npm start, then set ' +
          'SWITCHYARD_URL and SWITCHYARD_TOKEN to what it prints.',
      );
    if (this.out.json) throw new Misuse('A hub that is started here prints its log. Leave --json out.');
    const prepared = await runIn(root, ['server/setup/prepare.mjs']);
    this.process.exitCode = prepared === 0 ? await runIn(root, ['server/main.ts']) : prepared;
  },
  parameters: { flags: jsonFlag },
  docs: docs({
    brief: 'Start the hub, in a checkout of Switchyard',
    usage: '',
    examples: [['', 'The same as npm start; Ctrl-C stops it']],
    details: 'Settings come from the environment, as for npm start; see README.md.',
  }),
});

/** Whether a hub listens there. */
async function answers(url: string): Promise<boolean> {
  const signal = AbortSignal.timeout(lookMs);
  return fetch(new URL('/healthz', url), { signal }).then(isFromHub, () => false);
}

/** Runs a program of the checkout under this Node, on this terminal; answers with its exit code. */
async function runIn(root: string, args: string[]): Promise<number> {
  const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(':');
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  // A terminal sends Ctrl-C to the child too; a supervisor sends TERM only here.
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  const [code] = (await once(child, 'close')) as [number | null];
  for (const signal of signals) process.off(signal, pass);
  return code ?? exitCodes.interrupted;
}
