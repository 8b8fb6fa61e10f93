import type { Bench } from '../bench.ts';
import type { Form } from '../options.ts';
import { Load, type Run } from './load.ts';

export interface CyclesRow {
  agents: number;
  form: Form;
  hub: Run[];
  /** Taken right after the hub's run of the same place; empty without echo. */
  echo: Run[];
}

const warmUpAgents = 32;
const warmUpCyclesPerSecond = 3_000;

/** Claim + complete with so many connections each, in both forms, beside the same traffic without a hub behind it. */
export async function measureCycles(bench: Bench): Promise<CyclesRow[]> {
  const rows: CyclesRow[] = [];
  for (const agents of bench.options.agents) rows.push(...(await withAgents(bench, agents)));
  return rows;
}

/** So that the first figures are not those of code that is not yet compiled. */
export async function warmUp(bench: Bench): Promise<void> {
  bench.say('Warming up');
  const cycles = Math.round(warmUpCyclesPerSecond * bench.options.seconds);
  const project = await openAgents(bench, 'warm-up', warmUpAgents);
  for (const form of bench.options.forms) {
    const load = new Load(bench, { group: 'warm-up', project, agents: warmUpAgents }, form);
    await load.run(cycles);
    await bench.echo.call('answerWith', load.samples);
  }
  await bench.generator.call('close', { group: 'warm-up' });
  if (!bench.options.echo) return;
  await openEcho(bench, warmUpAgents);
  for (const form of bench.options.forms)
    await new Load(bench, { group: 'echo', project: null, agents: warmUpAgents }, form).run(cycles);
  await bench.generator.call('close', { group: 'echo' });
}

/** A new project with so many agents in it. */
export async function openAgents(bench: Bench, group: string, agents: number): Promise<string> {
  const { generator, hub } = bench;
  const project = await generator.call('createProject', { name: group });
  await generator.call('open', { group, url: hub.url, token: hub.token, project, count: agents });
  return project;
}

const openEcho = ({ generator, echoUrl }: Bench, count: number) =>
  generator.call('open', { group: 'echo', url: echoUrl, token: '', count });

async function withAgents(bench: Bench, agents: number): Promise<CyclesRow[]> {
  const { options, generator, hub, watcher } = bench;
  bench.say(`${agents} agent${agents === 1 ? '' : 's'}: connecting`);
  const project = await openAgents(bench, 'agents', agents);
  if (options.watcher) await watcher.call('watch', { url: hub.url, token: hub.token, project });
  if (options.echo) await openEcho(bench, agents);
  const rows = options.forms.map((form) => ({
    row: emptyRow(agents, form),
    hub: new Load(bench, { group: 'agents', project, agents }, form),
    echo: new Load(bench, { group: 'echo', project: null, agents }, form),
  }));
  // Round 0 finds out how many cycles fill the time, and is not counted.
  for (let round = 0; round <= options.rounds; round++) {
    for (const { row, hub, echo } of rows) {
      const taken = { hub: await hub.run(), echo: options.echo ? await echo.run() : null };
      if (round === 0) continue;
      row.hub.push(taken.hub);
      if (taken.echo) row.echo.push(taken.echo);
      bench.say(progress(row, round, options.rounds));
    }
  }
  for (const group of ['agents', 'echo']) await generator.call('close', { group });
  if (options.watcher) await watcher.call('close', { group: 'watch' });
  return rows.map(({ row }) => row);
}

const emptyRow = (agents: number, form: Form): CyclesRow => ({ agents, form, hub: [], echo: [] });

function progress({ agents, form, hub, echo }: CyclesRow, round: number, rounds: number): string {
  const rate = (run: Run | undefined) => (run ? Math.round(run.cyclesPerSecond).toString() : '–');
  return `  ${agents} agents, form ${form}, round ${round}/${rounds}: hub ${rate(hub.at(-1))}/s, echo ${rate(echo.at(-1))}/s`;
}
