import type { Run } from './measures/load.ts';
import type { CyclesRow } from './measures/cycles.ts';
import type { HistoryResult } from './measures/history.ts';
import type { PickupResult } from './measures/pickup.ts';
import type { ReconnectResult } from './measures/reconnect.ts';
import type { Machine } from './machine.ts';
import type { Form, Options } from './options.ts';
import type { CpuName } from './cpu.ts';
import { percentile, spread, type Spread } from './statistics.ts';

export interface Results {
  machine: Machine;
  options: Options;
  cycles?: CyclesRow[];
  pickup?: PickupResult;
  history?: HistoryResult;
  reconnect?: ReconnectResult;
}

/** The figures as people read them. */
export function report(results: Results): string {
  const { machine, options, cycles, pickup, history, reconnect } = results;
  const sections = [
    `Node ${machine.node}, Socket.IO ${machine.socketIo}, PostgreSQL ${machine.postgres}; ${machine.cores} cores (${machine.cpu}), ` +
      `load average ${machine.loadBefore} before and ${machine.loadAfter} after\n` +
      `Durability and log on, ${options.watcher ? 'one watcher' : 'no watcher'}. Medians of ${options.rounds} rounds (min–max).`,
  ];
  if (cycles) sections.push(cyclesTable(cycles), cpuTable(cycles));
  if (pickup) sections.push(pickupLine(pickup));
  if (history) sections.push(historyTable(history));
  if (reconnect) sections.push(reconnectTable(reconnect));
  return `\n${sections.join('\n\n')}\n`;
}

function cyclesTable(rows: CyclesRow[]): string {
  const heads = ['agents', 'form', 'hub, cycles/s', 'echo, cycles/s', 'hub/echo', 'answer p50, p99 ms'];
  const lines = rows.map(({ agents, form, hub, echo }) => [
    `${agents}`,
    `${form}`,
    shown(rates(hub)),
    echo.length > 0 ? shown(rates(echo)) : '–',
    echo.length > 0 ? shown(spread(pairs(hub, echo)), 2) : '–',
    answers(hub),
  ]);
  const limited = rows.some(({ hub }) => hub.some((run) => run.limited > 0));
  const notes = [
    'form 1: item.claim_next, then item.complete (two answers a cycle); form 2: item.complete with claim_next (one)',
    ...(limited
      ? ['The hub asked connections to wait (RATE_LIMITED): the figures are its limit, not its speed.']
      : []),
  ];
  return ['Claim + complete', table(heads, lines), ...notes].join('\n');
}

function cpuTable(rows: CyclesRow[]): string {
  const heads = ['agents', 'form', 'hub', 'postgres', 'generator', 'sum', '| echo', 'its generator'];
  const lines = rows.map(({ agents, form, hub, echo }) => {
    const [own, database, load] = [cpu(hub, 'hub'), cpu(hub, 'postgres'), cpu(hub, 'generator')];
    const sum = own + database + load;
    const echoes = [cpu(echo, 'echo'), cpu(echo, 'generator')];
    return [agents.toString(), form.toString(), ...[own, database, load, sum, ...echoes].map(seconds)];
  });
  return ['CPU seconds per 1,000 cycles', table(heads, lines)].join('\n');
}

function pickupLine({ tookMs }: PickupResult): string {
  const ms = (share: number) => percentile(tookMs, share).toFixed(2);
  return `Pick-up, item.create sent to claim acknowledged, one at a time, ${tookMs.length} items:\n  p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms, max ${ms(1)} ms`;
}

function historyTable({ agents, doneItems, rows }: HistoryResult): string {
  const heads = ['form', 'done items', 'cycles/s', 'answer p50, p99 ms', 'CPU s per 1,000: hub', 'postgres'];
  const line = (form: Form, done: number, runs: Run[]) => [
    `${form}`,
    `${done}`,
    shown(rates(runs)),
    answers(runs),
    seconds(cpu(runs, 'hub')),
    seconds(cpu(runs, 'postgres')),
  ];
  const lines = rows.flatMap(({ form, without, withHistory }) => [
    line(form, 0, without),
    line(form, doneItems, withHistory),
  ]);
  const slower = rows.map(({ form, without, withHistory }) => {
    const answer = withHistory.map((run, place) => run.answerMs.p50 / without[place]!.answerMs.p50);
    return `form ${form}: a cycle takes ${shown(spread(pairs(without, withHistory)), 2)} times as long, its claim ${shown(spread(answer), 2)}`;
  });
  return [
    `Claim + complete beside ${doneItems} done items in the project, ${agents} agents`,
    table(heads, lines),
    ...slower,
  ].join('\n');
}

function reconnectTable({ agents, returns }: ReconnectResult): string {
  const heads = [
    'signal',
    'hub ended after',
    'new one listened after',
    'agents back: half',
    '99 of 100',
    'all',
  ];
  const lines = returns.map(({ signal, endMs, startMs, backMs }) => [
    signal,
    ...[endMs, startMs, ...[0.5, 0.99, 1].map((share) => percentile(backMs, share))].map(
      (ms) => `${(ms / 1_000).toFixed(1)} s`,
    ),
  ]);
  return [`${agents} agents come back to a hub that went down`, table(heads, lines)].join('\n');
}

const rates = (runs: Run[]) => spread(runs.map((run) => run.cyclesPerSecond));
/** Of neighbours in time: what slows the machine slows both. */
const pairs = (one: Run[], other: Run[]) =>
  one.map((run, place) => run.cyclesPerSecond / other[place]!.cyclesPerSecond);
const cpu = (runs: Run[], name: CpuName) =>
  percentile(
    runs.map((run) => run.cpu[name] ?? NaN),
    0.5,
  );

function answers(runs: Run[]): string {
  const median = (which: 'p50' | 'p99') =>
    percentile(
      runs.map((run) => run.answerMs[which]),
      0.5,
    ).toFixed(1);
  return `${median('p50')}, ${median('p99')}`;
}

const shown = ({ median, min, max }: Spread, digits = 0) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
const seconds = (value: number) => (Number.isFinite(value) ? value.toFixed(3) : '–');

function table(heads: string[], lines: string[][]): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]!.length)),
  );
  const row = (cells: string[]) =>
    `  ${cells.map((cell, column) => cell.padStart(widths[column]!)).join('   ')}`;
  return [row(heads), ...lines.map(row)].join('\n');
}
