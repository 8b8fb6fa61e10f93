import type { Bench } from '../bench.ts';

export interface ReconnectResult {
  agents: number;
  returns: Return[];
}

export interface Return {
  signal: 'SIGKILL' | 'SIGTERM';
  /** From the signal to the end of the process. */
  endMs: number;
  /** From the end of the old process until the new one listens. */
  startMs: number;
  /** Of each agent, from when the new hub listens until its session is there again. */
  backMs: number[];
}

/** The hub goes down under a crowd of agents and comes back: how long until all are there again. */
export async function measureReconnect({
  options,
  hub,
  generator,
  crowd,
  say,
}: Bench): Promise<ReconnectResult> {
  const { url, token } = hub;
  const project = await generator.call('createProject', { name: 'reconnect' });
  await crowd.call('gather', { url, token, project, count: options.reconnect });
  const returns: Return[] = [];
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    say(`  ${options.reconnect} agents, and the hub gets ${signal}`);
    await crowd.call('lookOut', undefined);
    const signalledAtMs = Date.now();
    const { endedAtMs, listeningAtMs } = await hub.restart(signal);
    const backAtMs = await crowd.call('back', undefined);
    returns.push({
      signal,
      endMs: endedAtMs - signalledAtMs,
      startMs: listeningAtMs - endedAtMs,
      backMs: backAtMs.map((at) => at - listeningAtMs),
    });
  }
  await crowd.stop();
  return { agents: options.reconnect, returns };
}
