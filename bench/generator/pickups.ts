import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Connection } from './connections.ts';

/** Long enough that the hub is done with the item before, and the agent is as idle as one that waits for work. */
const restMs = 40;
const offerMsMax = 10_000;

/**
 * From `item.create` sent to the claim acknowledged, in milliseconds, one item at a time: the operator creates, the hub
 * offers, the idle agent claims what it was offered.
 */
export async function runPickups(
  operator: Connection,
  agent: Connection,
  { project, count }: { project: string; count: number },
): Promise<number[]> {
  const tookMs: number[] = [];
  for (let made = 0; made < count; made++) {
    await sleep(restMs * (0.75 + Math.random() / 2)); // not in step with any timer of the hub
    const begun = performance.now();
    const claimed = claimOffer(agent);
    operator.emit('item.create', { project, title: `Look into report ${made}`, task_type: 'bug' }, () => {});
    const { id, attempt, at } = await claimed;
    tookMs.push(at - begun);
    const done = { id, attempt, result_summary: 'Done.', files_modified: [] };
    await ask(agent, 'item.complete', done);
  }
  return tookMs;
}

function claimOffer(agent: Connection): Promise<{ id: string; attempt: number; at: number }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the agent heard of no item')), offerMsMax);
    agent.once('item.available', ({ item }) => {
      agent.emit('item.claim', { id: item.id }, (answer) => {
        const at = performance.now();
        clearTimeout(timer);
        if (answer.ok) resolve({ id: item.id, attempt: answer.result.claim.attempt, at });
        else reject(new Error(`item.claim: ${answer.error.message}`));
      });
    });
  });
}
