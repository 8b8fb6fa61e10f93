import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Timing } from './settings.ts';

/** All there is to set, with its defaults; see README. */
export interface Config {
  host: string;
  port: number;
  /** Null: the embedded PostgreSQL in the data directory. */
  databaseUrl: string | null;
  dataDir: string;
  /** Null: made on the first start and kept in the data directory. */
  adminToken: string | null;
  timing: Timing;
  allowedOrigins: string[];
  logLevel: string;
}

const projectRoot = fileURLToPath(new URL('..', import.meta.url));
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Reads the environment. Throws with the variable's name and what it may be. */
export function configFrom(env: NodeJS.ProcessEnv): Config {
  const logLevel = env.SWITCHYARD_LOG_LEVEL || 'info';
  if (!levels.includes(logLevel))
    throw new Error(`SWITCHYARD_LOG_LEVEL is "${logLevel}": use one of ${levels.join(', ')}.`);
  const adminToken = env.SWITCHYARD_ADMIN_TOKEN || null;
  if (adminToken !== null && adminToken.length < 20) {
    throw new Error(
      'SWITCHYARD_ADMIN_TOKEN is too short to be safe: use at least 20 characters, or leave it out and one is made.',
    );
  }
  return {
    host: env.SWITCHYARD_HOST || '127.0.0.1',
    port: number(env, 'SWITCHYARD_PORT', 4800, { min: 0, max: 65_535, whole: true }),
    databaseUrl: env.DATABASE_URL || null,
    dataDir: resolve(projectRoot, env.SWITCHYARD_DATA_DIR || '.switchyard'),
    adminToken,
    timing: {
      leaseSeconds: number(env, 'SWITCHYARD_LEASE_SECONDS', 60, { min: 0.1, max: 86_400 }),
      heartbeatSeconds: number(env, 'SWITCHYARD_HEARTBEAT_SECONDS', 10, { min: 0.05, max: 3_600 }),
      graceSeconds: number(env, 'SWITCHYARD_DISCONNECT_GRACE_SECONDS', 15, { min: 0, max: 86_400 }),
    },
    allowedOrigins: (env.SWITCHYARD_ALLOWED_ORIGINS ?? '')
      .split(',')
      .map((one) => one.trim().replace(/\/$/, ''))
      .filter(Boolean),
    logLevel,
  };
}

function number(
  env: NodeJS.ProcessEnv,
  name: string,
  otherwise: number,
  { min, max, whole = false }: { min: number; max: number; whole?: boolean },
): number {
  const text = env[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (Number.isFinite(value) && value >= min && value <= max && (!whole || Number.isInteger(value)))
    return value;
  throw new Error(`${name} is "${text}": use a${whole ? ' whole' : ''} number from ${min} to ${max}.`);
}
