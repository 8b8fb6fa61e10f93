import { quiet, type Bench } from '../bench.ts';
import type { Form } from '../options.ts';
import { openAgents } from './cycles.ts';
import { Load, type Run } from './load.ts';

export interface HistoryResult {
  agents: number;
  doneItems: number;
  rows: HistoryRow[];
}

export interface HistoryRow {
  form: Form;
  without: Run[];
  withHistory: Run[];
}

const agents = 64;
const step = 10_000;

/** The same cycles in two projects of one database, turn by turn: one is new, in the other very much is done already. */
export async function measureHistory(bench: Bench): Promise<HistoryResult> {
  const { options, generator, say } = bench;
  const long = await openAgents(bench, 'with-history', agents);
  for (let made = 0; made < options.history; made += step) {
    const count = Math.min(step, options.history - made);
    await generator.call('createItems', { project: long, count, status: 'done' });
    say(`  ${made + count} of ${options.history} done items made`);
  }
  const fresh = await openAgents(bench, 'without', agents);
  say('  waiting for PostgreSQL to come to rest');
  await quiet(bench);
  const rows = options.forms.map((form) => ({
    row: emptyRow(form),
    without: new Load(bench, { group: 'without', project: fresh, agents }, form),
    withHistory: new Load(bench, { group: 'with-history', project: long, agents }, form),
  }));
  for (let round = 0; round <= options.rounds; round++) {
    for (const { row, ...loads } of rows) {
      const without = await loads.without.run();
      const withHistory = await loads.withHistory.run();
      if (round === 0) continue;
      row.without.push(without);
      row.withHistory.push(withHistory);
      const rates = [without, withHistory].map((run) => Math.round(run.cyclesPerSecond));
      say(`  form ${row.form}, round ${round}/${options.rounds}: without ${rates[0]}/s, with ${rates[1]}/s`);
    }
  }
  for (const group of ['without', 'with-history']) await generator.call('close', { group });
  return { agents, doneItems: options.history, rows: rows.map(({ row }) => row) };
}

const emptyRow = (form: Form): HistoryRow => ({ form, without: [], withHistory: [] });
