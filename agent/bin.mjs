#!/usr/bin/env node
// What npm links as `switchyard`. Plain JavaScript, because it has to run, and say what is wrong, under any Node.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { fileURLToPath } from 'node:url';

const minimum = [22, 18];
const source = new URL('./cli/main.ts', import.meta.url);
/** A clone brings a Node of its own for Linux; see package.json of the clone. */
const brought = new URL('../node_modules/.bin/node', import.meta.url);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) {
  delete process.env.SWITCHYARD_NODE; // a switchyard that this one starts may need it again
  module.enableCompileCache?.();
  // The published package has no sources; in a clone they go before what was once built of them.
  const { main } = await import(existsSync(source) ? source : new URL('./cli/main.mjs', import.meta.url));
  await main();
} else if (existsSync(brought) && process.env.SWITCHYARD_NODE !== 'brought') {
  const child = spawn(fileURLToPath(brought), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, SWITCHYARD_NODE: 'brought' }, // a Node that does not run here is tried once
  });
  // A terminal sends Ctrl-C to both; the child decides what becomes of it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => tooOld(`${error.message}. `));
  child.on('close', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
} else {
  tooOld('');
}

function tooOld(why) {
  console.error(
    `${why}switchyard needs Node ${minimum.join('.')} or newer, and this is ${process.versions.node}. ` +
      'Install Node 24 from https://nodejs.org and try again.',
  );
  process.exitCode = 2;
}
