// What every measurement works with: a hub, an echo server and a load generator, each a process of its own.
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.ts';
import { cpuOf, cpuOfFamily, type Cpu } from './cpu.ts';
import type { EchoTasks } from './echo.ts';
import type { CrowdTasks } from './generator/crowd.ts';
import type { GeneratorTasks } from './generator/main.ts';
import { startHub, type BenchHub } from './hub.ts';
import type { Options } from './options.ts';

export interface Bench {
  options: Options;
  hub: BenchHub;
  generator: Child<GeneratorTasks>;
  /** The connection that watches is not the generator's: it would be the slower for it. */
  watcher: Child<GeneratorTasks>;
  echo: Child<EchoTasks>;
  crowd: Child<CrowdTasks>;
  echoUrl: string;
  /** One line on what goes on; goes to stderr, so that the table can be kept alone. */
  say: (message: string) => void;
  cpu: () => Cpu;
}

/** Starts everything. What is started is added to `cleanups` at once: those are to be run, whatever happens. */
export async function openBench(
  options: Options,
  cleanups: (() => Promise<void>)[],
  onDeath: (error: Error) => void,
): Promise<Bench> {
  const say = (message: string) => void process.stderr.write(`${message}\n`);
  const child = <T extends GeneratorTasks | EchoTasks | CrowdTasks>(file: string): Child<T> => {
    const started = new Child<T>(file);
    cleanups.push(() => started.stop());
    return started;
  };
  say('Starting a hub with an empty database');
  const hub = await startHub(onDeath, (stop) => cleanups.push(stop));
  const generator = child<GeneratorTasks>('./generator/main.ts');
  const watcher = child<GeneratorTasks>('./generator/main.ts');
  const echo = child<EchoTasks>('./echo.ts');
  const crowd = child<CrowdTasks>('./generator/crowd.ts');
  await generator.call('operate', { url: hub.url, token: hub.token });
  const echoUrl = await echo.call('listen', null);
  const cpu = () => ({
    hub: cpuOf(hub.pid()),
    postgres: cpuOfFamily(hub.postgresPid()),
    generator: cpuOf(generator.pid),
    echo: cpuOf(echo.pid),
  });
  return { options, hub, generator, watcher, echo, echoUrl, crowd, say, cpu };
}

const quietMsMax = 30_000;

/** Waits until PostgreSQL has nothing left to do of what was asked of it before (vacuum, checkpoints), within bounds. */
export async function quiet({ cpu }: Bench): Promise<void> {
  for (let waited = 0, still = 0; waited < quietMsMax && still < 3; waited += 300) {
    const before = cpu().postgres;
    await sleep(300);
    const after = cpu().postgres;
    if (before === null || after === null || after - before < 0.03) still++;
    else still = 0;
  }
}
