import pino from 'pino';

export type Logger = pino.Logger;

/** The hub's log: JSON lines, or aligned and coloured for a person at a terminal. Secrets never reach it. */
export function openLog(level: string): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    redact: ['token', '*.token', 'headers.authorization', 'headers.cookie'],
  };
  if (!process.stdout.isTTY) return pino(options);
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname', translateTime: 'HH:MM:ss' } },
  });
}
