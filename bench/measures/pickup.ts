import type { Bench } from '../bench.ts';
import { openAgents } from './cycles.ts';

export interface PickupResult {
  tookMs: number[];
}

const step = 20;
const warmUps = 10;

/** One idle agent, one item at a time: how long until it is the agent's. */
export async function measurePickup(bench: Bench): Promise<PickupResult> {
  const { options, generator, say } = bench;
  const project = await openAgents(bench, 'pickup', 1);
  await generator.call('pickups', { group: 'pickup', project, count: warmUps });
  const tookMs: number[] = [];
  while (tookMs.length < options.pickups) {
    const count = Math.min(step, options.pickups - tookMs.length);
    tookMs.push(...(await generator.call('pickups', { group: 'pickup', project, count })));
    if (tookMs.length % (step * 3) === 0) say(`  ${tookMs.length} of ${options.pickups} picked up`);
  }
  await generator.call('close', { group: 'pickup' });
  return { tookMs };
}
