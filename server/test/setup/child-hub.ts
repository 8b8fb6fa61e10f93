// The real hub as a process of its own, to be killed, stopped and measured.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { readPidFile, stopPostmaster } from '../../postgres/postmaster.ts';
import { adminToken } from './hub.ts';
import { temporaryFolder } from './postgres.ts';
import { setClockOff } from './wrong-clock.ts';

const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
const sleepyClock = new URL('./sleepy-clock.mjs', import.meta.url).href;

export interface ChildHubOptions {
  /** Where its embedded database lives; one of its own when left out. */
  dataDir?: string;
  /** In place of the embedded database. */
  databaseUrl?: string;
  port?: number;
  timing?: { lease?: number; heartbeat?: number; grace?: number };
  /** Leads a process group of its own, as a shell's foreground job does. */
  ownGroup?: boolean;
  /** It dies when it keeps more than this. */
  heapMb?: number;
  /** How far its clock is off, forwards or (negative) backwards. */
  clockOffBySeconds?: number;
  /** While it is stopped, it does not notice that time goes by. */
  sleeps?: boolean;
}

export interface ChildHub {
  url: string;
  port: number;
  dataDir: string;
  process: ChildProcess;
  /** When it has ended and all its output was read. */
  closed: Promise<unknown>;
  /** All that it has written so far. */
  output(): string;
  /** Sends a signal, and waits until it has ended. */
  end(signal: NodeJS.Signals): Promise<{ code: number | null; signal: string | null }>;
}

/** A data directory whose database is stopped when the test ends. */
export function newDataDir(folder = temporaryFolder()): string {
  const dataDir = join(folder, 'data');
  const database = join(dataDir, 'postgres/data');
  onTestFinished(async () => {
    const left = readPidFile(database);
    if (left) await stopPostmaster(database, left.pid);
  });
  return dataDir;
}

/** Starts `node server/main.ts` and waits until it listens. It is killed when the test ends. */
export async function startChildHub(options: ChildHubOptions = {}): Promise<ChildHub> {
  const hub = spawnHub(options);
  const said = await Promise.race([
    hub.listening,
    once(hub.process, 'close').then(() => {
      throw new Error(`the hub ended instead of listening:\n${hub.output()}`);
    }),
  ]);
  return { ...hub, url: said, port: Number(new URL(said).port) };
}

/** What a program imports before anything else, to have its clock off. */
const wrongClock = (bySeconds: number) =>
  `data:text/javascript,${encodeURIComponent(`(${setClockOff.toString()})(${bySeconds * 1_000})`)}`;

/** The same without waiting; for hubs that are to refuse to start. */
export function spawnHub(options: ChildHubOptions) {
  const { lease = 60, heartbeat = 10, grace = 15 } = options.timing ?? {};
  const dataDir = options.dataDir ?? newDataDir();
  const { DATABASE_URL: _, ...environment } = process.env;
  const nodeOptions = [
    ...(options.heapMb ? [`--max-old-space-size=${options.heapMb}`] : []),
    ...(options.clockOffBySeconds ? [`--import=${wrongClock(options.clockOffBySeconds)}`] : []),
    ...(options.sleeps ? [`--import=${sleepyClock}`] : []),
  ];
  const child = spawn(process.execPath, [main], {
    detached: options.ownGroup ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...environment,
      ...(nodeOptions.length > 0 ? { NODE_OPTIONS: nodeOptions.join(' ') } : {}),
      SWITCHYARD_PORT: String(options.port ?? 0),
      SWITCHYARD_DATA_DIR: dataDir,
      SWITCHYARD_ADMIN_TOKEN: adminToken,
      SWITCHYARD_LEASE_SECONDS: String(lease),
      SWITCHYARD_HEARTBEAT_SECONDS: String(heartbeat),
      SWITCHYARD_DISCONNECT_GRACE_SECONDS: String(grace),
      ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {}),
    },
  });
  // After the database's own clean-up was registered, so that it runs before.
  onTestFinished(() => end('SIGKILL').then(() => {}));
  let written = '';
  const listening = new Promise<string>((resolve) => {
    const hear = (text: string) => {
      written += text;
      const url = /listens on (http:\S+)/.exec(written)?.[1];
      if (url) resolve(url);
    };
    child.stdout.setEncoding('utf8').on('data', hear);
    child.stderr.setEncoding('utf8').on('data', hear);
  });
  const closed = once(child, 'close');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await closed;
    return { code: child.exitCode, signal: child.signalCode };
  };
  return { dataDir, process: child, listening, closed, output: () => written, end };
}
