import type { EventType } from '@switchyard/shared/item';
import { rules } from './check.ts';
import type { Drill, DrillResult } from './drill.ts';

const examplesMax = 10;

/** What a drill came to, for a person. */
export function summaryOf(drill: Drill, { events, items, violations }: DrillResult): string {
  const { tally, options } = drill;
  const status = (name: string) => items.filter((item) => item.status === name).length;
  const logged = (type: EventType, reason?: string) =>
    events.filter((event) => event.type === type && (reason === undefined || event.data.reason === reason))
      .length;
  const waitedMs = drill.runMs - tally.workMs;
  const lines = [
    `${drill.project}: ${items.length} items, ${drill.todo} of them to do; ${options.agents} agents, seed ${options.seed}`,
    `  start      ${seconds(drill.importMs)} to import, ${seconds(drill.startMs)} for all agents to connect`,
    `  work       ${seconds(tally.workMs)}, ${perSecond(tally.ended, tally.workMs)} cycles/s:` +
      ` ${tally.completed} completed, ${tally.failed} failed, ${tally.released} released`,
    `  waiting    ${seconds(waitedMs)} for lost claims and retries to come back`,
    `  claims     p50 ${quantile(tally.claimLatenciesMs, 0.5)}, p99 ${quantile(tally.claimLatenciesMs, 0.99)};` +
      ` ${tally.offers} offers heard, ${refusals(tally.refused)}`,
    `  conflicts  ${logged('conflict.detected')} seen, ${logged('conflict.resolved')} ended, ${tally.conflictNotices} told to agents`,
    `  faults     ${tally.kills} agents killed, ${logged('item.requeued', 'lease_expired')} claims came back,` +
      ` ${logged('item.requeued', 'retry')} retries`,
    `  log        ${events.length} events, watched live and read back`,
    `  items      ${['done', 'todo', 'claimed', 'failed', 'cancelled'].map((name) => `${status(name)} ${name}`).join(', ')}`,
    ...tally.faults.map((fault) => `  an agent gave up: ${fault}`),
  ];
  return [...lines, ...verdict(violations)].join('\n');
}

function verdict(violations: DrillResult['violations']): string[] {
  if (violations.length === 0) return [`No violation of ${Object.keys(rules).length} rules.`];
  return [
    `${violations.length} VIOLATIONS`,
    ...Object.entries(rules).flatMap(([rule, says]) => {
      const broken = violations.filter((violation) => violation.rule === rule);
      if (broken.length === 0) return [];
      const shown = broken
        .slice(0, examplesMax)
        .map(({ seq, message }) => `    ${seq === undefined ? '' : `seq ${seq}: `}${message}`);
      return [`  ${says}: ${broken.length}`, ...shown, ...(broken.length > shown.length ? ['    …'] : [])];
    }),
  ];
}

function refusals(refused: ReadonlyMap<string, number>): string {
  if (refused.size === 0) return 'no race lost';
  return [...refused].map(([code, times]) => `${times} ${code}`).join(', ');
}

function quantile(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return value === undefined ? '–' : `${value.toFixed(1)} ms`;
}

const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
const perSecond = (count: number, ms: number) => (ms > 0 ? Math.round((count / ms) * 1_000) : 0);
