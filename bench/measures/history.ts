import { quiet, type Bench } from '../bench.ts';
import { openAgents } from './cycles.ts';
import { Load, type Run } from './load.ts';

export interface HistoryResult {
  agents: number;
  doneItems: number;
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
  const loads = {
    without: new Load(bench, { group: 'without', project: fresh, agents }, 1),
    withHistory: new Load(bench, { group: 'with-history', project: long, agents }, 1),
  };
  const result: HistoryResult = { agents, doneItems: options.history, without: [], withHistory: [] };
  for (let round = 0; round <= options.rounds; round++) {
    const without = await loads.without.run();
    const withHistory = await loads.withHistory.run();
    if (round === 0) continue;
    result.without.push(without);
    result.withHistory.push(withHistory);
    const rate = (run: Run) => `${Math.round(run.cyclesPerSecond)}/s`;
    say(`  round ${round}/${options.rounds}: without ${rate(without)}, with ${rate(withHistory)}`);
  }
  for (const group of ['without', 'with-history']) await generator.call('close', { group });
  return result;
}
