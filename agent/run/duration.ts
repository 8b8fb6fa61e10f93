import { Misuse } from '../command.ts';

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What a timer of Node can wait for; it fires at once beyond. */
const msMax = 2 ** 31 - 1;

/**
 * A span of time as people write it, in milliseconds: `90s`, `10m`, `2h`, `1.5h`, `1h30m`. Throws `Misuse`.
 *
 *     parseDuration('90s'); // 90000
 */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  const ms = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * unitMs[unit!]!, 0);
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)
    throw new Misuse('not a duration, such as 90s, 10m, 2h or 1h30m');
  if (ms < 1 || ms > msMax) throw new Misuse('not a duration from 1ms to 24d');
  return Math.round(ms);
}

/** The other way, for people: `0.4 s`, `12 s`, `3 min`, `2 h 5 min`. */
export function sayDuration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}
