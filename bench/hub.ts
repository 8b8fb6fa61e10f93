// The hub under test: the real program in a process of its own, with its embedded PostgreSQL in a temporary folder.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const startMsMax = 120_000;
const stopMsMax = 20_000;
const outputKept = 4_000;

export interface BenchHub {
  url: string;
  token: string;
  /** The hub's own process. */
  pid(): number;
  /** PostgreSQL's main process. */
  postgresPid(): number | null;
  postgresMajor(): string;
  /** Ends the hub by this signal and starts it anew, on the same port and data. Resolves once it listens. */
  restart(signal: NodeJS.Signals): Promise<Restart>;
}

/** Both by `Date.now()`. */
export interface Restart {
  endedAtMs: number;
  listeningAtMs: number;
}

/**
 * @param onDeath hears when it ends without having been told to
 * @param onStarted gets what stops it, before it is ready, so that an interruption leaves nothing behind
 * @param settings variables of the README, over those that a hub under test has anyway
 */
export async function startHub(
  onDeath: (error: Error) => void,
  onStarted: (stop: () => Promise<void>) => void,
  settings: Record<string, string> = {},
): Promise<BenchHub> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  // When root runs us, PostgreSQL runs under another account, which must be able to pass through.
  chmodSync(folder, 0o711);
  const database = join(folder, 'data', 'postgres', 'data');
  const token = `swy_bench_${randomBytes(24).toString('hex')}`;
  const environment = { ...hubEnvironment(join(folder, 'data'), token), ...settings };
  let stopping: Promise<void> | null = null;
  const stop = () => {
    running.isToEnd = true;
    return (stopping ??= end(running, database, folder));
  };
  const start = async (port: string): Promise<string> => {
    const program = (running = launch({ ...environment, SWITCHYARD_PORT: port }));
    const died = program.exited.then(
      () => new Error(`The hub ended by itself. Its last words:\n${program.output()}`),
    );
    const late = sleep(startMsMax, null, { ref: false }).then(
      () => new Error(`The hub does not start:\n${program.output()}`),
    );
    const said = await Promise.race([listening(program.process), died, late]);
    if (said instanceof Error) throw said;
    void died.then((error) => program.isToEnd || onDeath(error));
    return said;
  };
  let running: Program;
  const first = start('0');
  onStarted(stop);
  const url = await first;
  return {
    url,
    token,
    pid: () => running.process.pid!,
    postgresPid: () => postmasterPid(database),
    postgresMajor: () => readFileSync(join(database, 'PG_VERSION'), 'utf8').trim(),
    restart: async (signal) => {
      running.isToEnd = true;
      running.process.kill(signal);
      await running.exited;
      const endedAtMs = Date.now();
      await start(new URL(url).port);
      return { endedAtMs, listeningAtMs: Date.now() };
    },
  };
}

interface Program {
  process: ChildProcess;
  exited: Promise<void>;
  /** The last of what it has written. */
  output: () => string;
  isToEnd: boolean;
}

function launch(env: NodeJS.ProcessEnv): Program {
  const hub = spawn(process.execPath, [fileURLToPath(new URL('../server/main.ts', import.meta.url))], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (text: Buffer) => (output = (output + text.toString()).slice(-outputKept));
  hub.stdout.on('data', keep);
  hub.stderr.on('data', keep);
  const exited = new Promise<void>((resolve) =>
    hub.once('exit', () => resolve()).once('error', () => resolve()),
  );
  return { process: hub, exited, output: () => output, isToEnd: false };
}

/** As a user would start it, whatever is set around us: our own port and data, and the embedded PostgreSQL. */
function hubEnvironment(dataDir: string, token: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(SWITCHYARD_|DATABASE_URL$|NODE_OPTIONS$|PG)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    NODE_ENV: 'production',
    SWITCHYARD_HOST: '127.0.0.1',
    SWITCHYARD_DATA_DIR: dataDir,
    SWITCHYARD_ADMIN_TOKEN: token,
    SWITCHYARD_LOG_LEVEL: 'warn',
  };
}

function listening(hub: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const look = (text: Buffer) => {
      said += text.toString();
      const url = /listens on (http:\S+)/.exec(said)?.[1];
      if (!url) return;
      hub.stdout!.off('data', look);
      resolve(url);
    };
    hub.stdout!.on('data', look);
  });
}

async function end({ process: hub, exited }: Program, database: string, folder: string): Promise<void> {
  const alive = () => hub.exitCode === null && hub.signalCode === null;
  if (alive()) hub.kill('SIGTERM');
  await Promise.race([exited, sleep(stopMsMax, null, { ref: false })]);
  if (alive()) hub.kill('SIGKILL');
  await endPostgres(database);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** PostgreSQL outlives a hub that was killed. The folder is ours alone, so whom its file names is ours too. */
async function endPostgres(database: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    const pid = postmasterPid(database);
    if (pid === null) return;
    try {
      process.kill(pid, signal);
    } catch {
      return; // it is gone already
    }
    for (let waited = 0; waited < 10_000 && postmasterPid(database) === pid; waited += 50) await sleep(50);
  }
}

function postmasterPid(database: string): number | null {
  try {
    return Number(readFileSync(join(database, 'postmaster.pid'), 'utf8').split('\n')[0]) || null;
  } catch {
    return null;
  }
}
