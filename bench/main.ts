// `npm run bench`: how fast the hub is, measured from outside, beside what Socket.IO alone can do on this machine.
import { writeFileSync } from 'node:fs';
import { openBench } from './bench.ts';
import { describeMachine, loadNow } from './machine.ts';
import { measureCycles, warmUp } from './measures/cycles.ts';
import { measureHistory } from './measures/history.ts';
import { measurePickup } from './measures/pickup.ts';
import { measureReconnect } from './measures/reconnect.ts';
import { help, readOptions, type Options } from './options.ts';
import { report, type Results } from './report.ts';

const cleanups: (() => Promise<void>)[] = [];
let cleaning: Promise<void> | null = null;
let endedBy: NodeJS.Signals | Error | null = null;

/** Ends every process that was started and removes the data; the first caller does it, others wait for it. */
function cleanUp(): Promise<void> {
  const all = async () => {
    for (let one = cleanups.pop(); one; one = cleanups.pop()) await one().catch(complain);
  };
  return (cleaning ??= all());
}

const complain = (error: unknown) =>
  void process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);

async function main(): Promise<void> {
  let options: Options | null;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    complain(error);
    process.stderr.write('npm run bench -- --help shows what there is.\n');
    process.exit(2);
  }
  if (!options) return void process.stdout.write(help);
  // Ctrl-C reaches the children too, from the terminal; npm may pass it on a second time.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!endedBy) process.stderr.write('\nStopping\n');
      stop(signal);
    });
  }
  try {
    const results = await measure(options);
    await cleanUp();
    process.stdout.write(report(results));
    if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  } catch (error) {
    // An interruption makes everything under way fail; then only that is worth a word.
    stop(error as Error);
  }
}

function stop(why: NodeJS.Signals | Error): void {
  if (endedBy) return;
  endedBy = why;
  if (why instanceof Error) complain(why);
  void cleanUp().then(() => process.exit(why === 'SIGINT' ? 130 : 1));
}

async function measure(options: Options): Promise<Results> {
  const bench = await openBench(options, cleanups, stop);
  const results: Results = { machine: describeMachine(bench.hub.postgresMajor()), options };
  await warmUp(bench);
  const heading = (text: string) => bench.say(`${text}`);
  if (options.only.includes('cycles')) {
    heading('Claim + complete');
    results.cycles = await measureCycles(bench);
  }
  if (options.only.includes('pickup')) {
    heading('Pick-up');
    results.pickup = await measurePickup(bench);
  }
  if (options.only.includes('history')) {
    heading('Claim + complete beside many done items');
    results.history = await measureHistory(bench);
  }
  // Last: the hub is another one after it.
  if (options.only.includes('reconnect')) {
    heading('Reconnect');
    results.reconnect = await measureReconnect(bench);
  }
  results.machine.loadAfter = loadNow();
  return results;
}

await main();
