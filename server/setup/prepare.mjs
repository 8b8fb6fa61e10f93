// Brings a checkout into a state that can run: packages installed, board built. npm runs it before `npm start`,
// `npm test` and others (the scripts called pre… in package.json), so that each of them works in a fresh clone. It
// goes by contents, takes a moment when there is nothing to do, and needs nothing installed: it runs under whatever
// Node there is, and what npm runs after it finds the Node 24 that it installed first on its PATH.
//
//   node server/setup/prepare.mjs [--no-web]     --no-web: for steps that do not show the board
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import * as board from './board.mjs';
import { root } from './checkout.mjs';
import { tryLock } from './lock.mjs';
import * as packages from './packages.mjs';

const MINIMUM_NODE = '22.18';
/** Milliseconds. */
const HEARTBEAT = 5_000;
const LOOK_AGAIN = 200;

try {
  const steps = process.argv.includes('--no-web') ? [packages] : [packages, board];
  if (steps.some((step) => step.isStale())) await prepare(steps);
  checkNode();
} catch (error) {
  console.error(`\n${error.message}\n`);
  process.exitCode = 1;
}

async function prepare(steps) {
  // The one folder that is ours, ignored by git, and left alone by npm.
  const folder = join(root, '.switchyard');
  mkdirSync(folder, { recursive: true });
  const lock = await takeLock(join(folder, 'setup.lock'));
  try {
    for (const step of steps) if (step.isStale()) await show(step);
  } finally {
    lock.release();
    removeIfEmpty(folder);
  }
}

async function takeLock(path) {
  for (let told = false; ; told = true) {
    const lock = tryLock(path);
    if ('release' in lock) return lock;
    if (!told)
      console.log(`Another start (process ${lock.heldBy}) is preparing this checkout. Waiting for it …`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
  }
}

/** Runs a step and lets people see that it is alive. */
async function show({ what, run }) {
  const begun = Date.now();
  const elapsed = () => `${Math.round((Date.now() - begun) / 1000)} s`;
  console.log(`${what} …`);
  const heartbeat = setInterval(() => console.log(`${what} … ${elapsed()}`), HEARTBEAT);
  try {
    await run();
    console.log(`${what}: done in ${elapsed()}`);
  } finally {
    clearInterval(heartbeat);
  }
}

/** Whether what npm runs next has a Node that runs TypeScript: this one, or the one installed here. */
function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [leastMajor, leastMinor] = MINIMUM_NODE.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return;
  const installed = spawnSync(join(root, 'node_modules/.bin/node'), ['--version']);
  if (installed.status === 0) return;
  throw new Error(
    `Switchyard needs Node ${MINIMUM_NODE} or newer, and this is ${process.versions.node}. The Node 24 it brings ` +
      `along is for Linux with glibc, on x64 and arm64, and does not run here (${process.platform}-${process.arch}). ` +
      `Install Node 24 from https://nodejs.org and try again.`,
  );
}

// It is the hub's data directory, which may be elsewhere (SWITCHYARD_DATA_DIR).
function removeIfEmpty(folder) {
  try {
    rmdirSync(folder);
  } catch {
    // It is in use.
  }
}
