// Agents that claim and complete through faults, with the client that agents use.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { Refusal } from '@switchyard/shared/errors';
import { connect, type HubClient } from '../../../agent/client.ts';
import type { Acknowledged } from '../../../agent/drill/witness.ts';
import { adminToken } from './hub.ts';

/** Long enough to live through an outage. */
const timeoutMs = 60_000;

export interface Fleet {
  clients: HubClient[];
  /** Every change that the hub acknowledged. */
  acknowledged: Acknowledged[];
  completed(): number;
  /** What was refused, by code. */
  refused: Map<string, number>;
  /** Resolves when nothing is left to claim; rejects when an agent fails. */
  finished: Promise<void>;
}

interface FleetOptions {
  agents: number;
  /** How long one works on an item, at most. */
  workMs: number;
  /** Items until which the fleet goes on, though none may be ready at times. */
  items: number;
}

/** Starts agents on a project; each works off items, one at a time. */
export async function startFleet(
  hub: { url: string },
  project: { name: string },
  { agents, workMs, items }: FleetOptions,
): Promise<Fleet> {
  const fleet: Fleet = {
    clients: await Promise.all(
      Array.from({ length: agents }, (_, n) =>
        connect({ url: hub.url, token: adminToken, project: project.name, agentId: `fleet-${n}` }),
      ),
    ),
    acknowledged: [],
    completed: () => fleet.acknowledged.filter(({ type }) => type === 'item.completed').length,
    refused: new Map(),
    finished: Promise.resolve(),
  };
  onTestFinished(async () => {
    await Promise.all(fleet.clients.map((client) => client.close()));
  });
  const work = async (client: HubClient): Promise<void> => {
    while (fleet.completed() < items) {
      const { claim } = await client.call(
        'item.claim_next',
        { project: project.name, request_id: randomUUID() },
        { timeoutMs },
      );
      if (!claim) {
        await sleep(20);
        continue;
      }
      const { attempt, session_id } = claim;
      const held = { item_id: claim.item.id, attempt, session_id };
      fleet.acknowledged.push({ type: 'item.claimed', ...held });
      await sleep(Math.random() * workMs);
      const end = { id: claim.item.id, attempt, result_summary: 'done', files_modified: ['a.ts'] };
      try {
        await client.call('item.complete', { ...end, request_id: randomUUID() }, { timeoutMs });
        fleet.acknowledged.push({ type: 'item.completed', ...held });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        fleet.refused.set(error.code, (fleet.refused.get(error.code) ?? 0) + 1);
      }
    }
  };
  fleet.finished = Promise.all(fleet.clients.map(work)).then(() => {});
  // Awaited later; until then a failure is no unhandled one.
  fleet.finished.catch(() => {});
  return fleet;
}
