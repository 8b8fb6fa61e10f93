// A claim lives as long as its lease, and a lease as long as signs of life come.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HeartbeatAnswer } from '@switchyard/shared/agent';
import { call, connect, connectAgent, newProject, refusal, startTestHub, type TestHub } from './setup/hub.ts';
import { until } from './setup/until.ts';
import { complete, eventsOf, getItem, newItem, newItems, violationsOf } from './setup/steps.ts';

/** Leases that end while one looks on. */
let brief: TestHub;
/** Leases that do not end by themselves, and a grace that does. */
let patient: TestHub;
beforeAll(async () => {
  [brief, patient] = await Promise.all([
    startTestHub({ timing: { leaseSeconds: 1, heartbeatSeconds: 0.2, graceSeconds: 0.4 } }),
    startTestHub({ timing: { graceSeconds: 1 } }),
  ]);
});
afterAll(() => Promise.all([brief.stop(), patient.stop()]));

const seconds = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1_000;

const beat = (agent: Awaited<ReturnType<typeof connectAgent>>, claims: unknown[] = []) =>
  agent.call<HeartbeatAnswer>('agent.heartbeat', { claims });

describe('over a socket', () => {
  test('[LE1] heartbeats keep a claim alive; without them it goes back to the queue and its agent is told', async () => {
    const project = await newProject(brief);
    const [kept, lapsed] = await newItems(brief, project, 2);
    const alive = await connectAgent(brief, project.name, 'alive');
    const silent = await connectAgent(brief, project.name, 'silent');
    const { claim } = await alive.call('item.claim', { id: kept!.id });
    const pulse = setInterval(() => void beat(alive).catch(() => {}), 100);
    const lost = await silent.call('item.claim', { id: lapsed!.id });

    const told = await silent.hear<{ item_id: string }>('claim.lost');
    // Long enough that the first lease of the other claim would be over too.
    await until('the first lease is over', () => Date.now() > Date.parse(claim.lease_expires_at) + 500);
    clearInterval(pulse);
    expect(told).toEqual({ item_id: lapsed!.id, attempt: 1, reason: 'lease_expired' });
    const [requeued] = await eventsOf(brief, lapsed!, 'item.requeued');
    expect(requeued).toMatchObject({
      actor: 'hub',
      attempt: 1,
      session_id: silent.ready!.session_id,
      data: { status: 'todo', reason: 'lease_expired', lost_count: 1 },
    });
    expect(Date.parse(requeued!.at)).toBeGreaterThanOrEqual(Date.parse(lost.claim.lease_expires_at));
    expect(await getItem(brief, lapsed!.id)).toMatchObject({
      status: 'todo',
      lost_count: 1,
      lease_expires_at: null,
    });
    expect(await getItem(brief, kept!.id)).toMatchObject({ status: 'claimed', attempt: 1 });
  });

  test('[LE2] a zombie is refused whatever it sends, and changes nothing', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project, { files_planned: ['a.ts'] });
    const zombie = await connectAgent(brief, project.name, 'zombie');
    await zombie.call('item.claim', { id: item.id });
    await zombie.hear('claim.lost');
    const gone = { id: item.id, attempt: 1 };
    const commands = [
      () => zombie.call('item.complete', { ...gone, result_summary: 'mine', files_modified: ['z.ts'] }),
      () => zombie.call('item.fail', { ...gone, failure_reason: 'mine' }),
      () => zombie.call('item.release', gone),
      () => zombie.call('item.heartbeat', { ...gone, progress: 50 }),
      () => zombie.call('item.report_files', { ...gone, files: ['z.ts'] }),
    ];
    const before = await getItem(brief, item.id);
    for (const command of commands) {
      expect(await refusal(command())).toMatchObject({
        code: 'CLAIM_LOST',
        details: { status: 'todo', attempt: 1, holder: null, reason: 'lease_expired' },
      });
    }
    expect(await getItem(brief, item.id)).toEqual(before);
  });

  test('[LE3] a zombie cannot finish the claim that another has by now, nor a later one of its own', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project);
    const zombie = await connectAgent(brief, project.name, 'zombie');
    await zombie.call('item.claim', { id: item.id });
    await zombie.hear('claim.lost');
    const { claim } = await call(brief, 'item.claim', { id: item.id, agent_id: 'heir' });
    expect(claim.attempt).toBe(2);
    for (const attempt of [1, 2]) {
      expect(await refusal(complete(zombie, item, attempt))).toMatchObject({ code: 'CLAIM_LOST' });
    }
    expect(await getItem(brief, item.id)).toMatchObject({ status: 'claimed', assigned_agent_id: 'heir' });
    await call(brief, 'item.release', { id: item.id, agent_id: 'heir', attempt: 2 });
    const { claim: later } = await zombie.call('item.claim', { id: item.id });
    expect(later.attempt).toBe(3);
    expect(await refusal(complete(zombie, item, 1))).toMatchObject({
      code: 'CLAIM_LOST',
      details: { attempt: 3, holder: 'zombie', reason: 'lease_expired' },
    });
    expect((await complete(zombie, item, 3)).item.status).toBe('done');
  });

  test('[LE4] a claim made when the session’s lease is nearly over has a fresh one', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project);
    const agent = await connectAgent(brief, project.name, 'late');
    const { agents } = await call(brief, 'project.agents', { project: project.id });
    const end = agents[0]!.lease_expires_at!;
    await until('the lease is nearly over', () => Date.now() > Date.parse(end) - 150);
    const { claim } = await agent.call('item.claim', { id: item.id });
    expect(seconds(claim.item.assigned_at!, claim.lease_expires_at)).toBeGreaterThanOrEqual(0.5);
    await agent.hear('claim.lost');
    const [requeued] = await eventsOf(brief, item, 'item.requeued');
    expect(Date.parse(requeued!.at)).toBeGreaterThanOrEqual(Date.parse(claim.lease_expires_at));
  });

  test('[LE5] an agent that fell silent and wakes on the same connection works again', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project);
    const agent = await connectAgent(brief, project.name, 'sleeper');
    await agent.call('item.claim', { id: item.id });
    await agent.hear('claim.lost');
    const { claim } = await agent.call('item.claim_next', { project: project.id });
    expect(claim).toMatchObject({ attempt: 2, item: { id: item.id } });
    // It holds as a first claim does: heartbeats carry it past its lease.
    const pulse = setInterval(() => void beat(agent).catch(() => {}), 100);
    await until('the lease would be over', () => Date.now() > Date.parse(claim!.lease_expires_at) + 500);
    clearInterval(pulse);
    expect(await beat(agent, [{ item_id: item.id, attempt: 2 }])).toMatchObject({ lost: [] });
    expect((await complete(agent, item, 2)).item).toMatchObject({ status: 'done', lost_count: 0 });
  });

  test('[LE6] an idle agent that fell silent shows as away, and as idle once it beats again', async () => {
    const project = await newProject(brief);
    const agent = await connectAgent(brief, project.name, 'sleeper');
    const state = async () => {
      const { agents } = await call(brief, 'project.agents', { project: project.id });
      return agents.map((one) => one.state).join();
    };
    expect(await state()).toBe('idle');
    await until('it is away', async () => (await state()) === 'away');
    await beat(agent);
    expect(await state()).toBe('idle');
  });

  test('[LE7] a heartbeat says which claims are lost and which are cancelled', async () => {
    const project = await newProject(patient);
    const [held, released, cancelled, other] = await newItems(patient, project, 4);
    const agent = await connectAgent(patient, project.name, 'a', { capacity: 4 });
    for (const item of [held, released, cancelled]) await agent.call('item.claim', { id: item!.id });
    await agent.call('item.release', { id: released!.id, attempt: 1 });
    await call(patient, 'item.cancel', { id: cancelled!.id });
    await call(patient, 'item.claim', { id: other!.id, agent_id: 'b' });
    const unknown = randomUUID();
    const answer = await beat(agent, [
      { item_id: held!.id, attempt: 1 },
      { item_id: released!.id, attempt: 1 },
      { item_id: cancelled!.id, attempt: 1 },
      { item_id: other!.id, attempt: 1 },
      { item_id: unknown, attempt: 1 },
    ]);
    expect(answer.lost).toEqual([
      { item_id: released!.id, attempt: 1, reason: 'released' },
      { item_id: cancelled!.id, attempt: 1, reason: 'cancelled' },
      { item_id: other!.id, attempt: 1, reason: 'not_the_holder' },
      { item_id: unknown, attempt: 1, reason: 'unknown' },
    ]);
    expect(answer.cancelled).toEqual([{ item_id: cancelled!.id, attempt: 1, reason: 'cancelled' }]);
  });

  test('[LE7] a heartbeat, claim.lost and CLAIM_LOST give one reason for one loss', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project);
    const agent = await connectAgent(brief, project.name, 'sleeper');
    await agent.call('item.claim', { id: item.id });
    const heard = await agent.hear('claim.lost');
    expect(heard).toEqual({ item_id: item.id, attempt: 1, reason: 'lease_expired' });
    const tellsSo = async () => {
      expect((await beat(agent, [{ item_id: item.id, attempt: 1 }])).lost).toEqual([heard]);
      expect(await refusal(complete(agent, item, 1))).toMatchObject({ details: { reason: 'lease_expired' } });
    };
    await tellsSo();
    // Nor is it another one once somebody has it anew.
    await call(brief, 'item.claim', { id: item.id, agent_id: 'b' });
    await tellsSo();
  });

  test('[LE7] of what is another project’s, and of an attempt that there was not, it tells nothing', async () => {
    const [project, other] = [await newProject(patient), await newProject(patient)];
    const [mine, theirs] = [await newItem(patient, project), await newItem(patient, other)];
    const agent = await connectAgent(patient, project.name, 'a');
    await agent.call('item.claim', { id: mine.id });
    await call(patient, 'item.claim', { id: theirs.id, agent_id: 'b' });
    await call(patient, 'item.cancel', { id: theirs.id });
    const claims = [
      { item_id: theirs.id, attempt: 1 },
      { item_id: mine.id, attempt: 2 },
    ];
    expect(await beat(agent, claims)).toMatchObject({
      lost: [{ reason: 'unknown' }, { reason: 'no_such_attempt' }],
      cancelled: [],
    });
  });

  test('[LE8] progress and notes come with heartbeats; what has not changed is no event', async () => {
    const project = await newProject(patient);
    const item = await newItem(patient, project);
    const agent = await connectAgent(patient, project.name, 'a');
    await agent.call('item.claim', { id: item.id });
    for (const note of ['reading', 'reading', 'writing'])
      await beat(agent, [{ item_id: item.id, attempt: 1, progress: 40, note }]);
    await until(
      'it is taken down',
      async () => (await getItem(patient, item.id)).progress_note === 'writing',
    );
    const events = await eventsOf(patient, item, 'item.progressed');
    expect(events.map((event) => event.data)).toEqual([
      { progress: 40, progress_note: 'reading' },
      { progress: 40, progress_note: 'writing' },
    ]);
    await beat(agent, [{ item_id: item.id, attempt: 9, progress: 90 }]);
    await agent.call('item.heartbeat', { id: item.id, attempt: 1, note: null });
    expect(await getItem(patient, item.id)).toMatchObject({ progress: 40, progress_note: null });
  });
});

describe('connections that go', () => {
  test('[LE10] who comes back with its session within the grace keeps its claims; who does not loses them', async () => {
    const project = await newProject(patient);
    const [kept, lost] = await newItems(patient, project, 2);
    const session_id = randomUUID();
    const first = await connectAgent(patient, project.name, 'back', { session_id });
    const gone = await connectAgent(patient, project.name, 'gone');
    const { claim } = await first.call('item.claim', { id: kept!.id });
    const other = await gone.call('item.claim', { id: lost!.id });
    first.close();
    gone.close();
    const away = async () => {
      const { holder } = await call(patient, 'item.explain', { id: kept!.id });
      return holder!.connected ? null : holder!;
    };
    const holder = await until('the hub knows that it is away', away);
    // Not the 60 s of the lease any more.
    expect(Date.parse(holder.lease_expires_at)).toBeLessThan(Date.parse(claim.lease_expires_at) - 50_000);

    const again = await connectAgent(patient, project.name, 'back', { session_id });
    expect(again.ready!.claims).toMatchObject([
      { attempt: 1, session_id, item: { id: kept!.id, status: 'claimed' } },
    ]);
    const [requeued] = await until('the other is put back', async () => {
      const found = await eventsOf(patient, lost!, 'item.requeued');
      return found.length > 0 && found;
    });
    expect(Date.parse(requeued!.at)).toBeLessThan(Date.parse(other.claim.lease_expires_at));
    expect(await getItem(patient, kept!.id)).toMatchObject({ status: 'claimed', attempt: 1 });
    expect((await complete(again, kept!)).item.status).toBe('done');
    expect(await violationsOf(patient, project, 'stuck')).toEqual([]);
  });

  test('[LE11] another session of the same agent never owns its claims', async () => {
    const project = await newProject(patient);
    const item = await newItem(patient, project);
    const owner = await connectAgent(patient, project.name, 'twin');
    const twin = await connectAgent(patient, project.name, 'twin');
    await owner.call('item.claim', { id: item.id });
    expect(twin.ready!.claims).toEqual([]);
    expect(await refusal(twin.call('item.claim', { id: item.id }))).toMatchObject({
      code: 'ALREADY_CLAIMED',
      details: { holder: 'twin', holder_connected: true },
    });
    expect(await refusal(complete(twin, item))).toMatchObject({
      code: 'CLAIM_LOST',
      details: { reason: 'not_the_holder', holder: 'twin', status: 'claimed' },
    });
    expect(await beat(twin, [{ item_id: item.id, attempt: 1 }])).toMatchObject({
      lost: [{ reason: 'not_the_holder' }],
    });
    twin.close();
    expect((await complete(owner, item)).item.status).toBe('done');
  });

  test('[LE12] the session of another agent, or of another project, cannot be taken', async () => {
    const [project, elsewhere] = [await newProject(patient), await newProject(patient)];
    const session_id = randomUUID();
    await connectAgent(patient, project.name, 'owner', { session_id });
    for (const hello of [
      { project: project.name, agent_id: 'thief', session_id },
      { project: elsewhere.name, agent_id: 'owner', session_id },
      { project: project.name, agent_id: 'thief', session_id: session_id.toUpperCase() },
    ]) {
      expect(await refusal(connect(patient, hello))).toMatchObject({ code: 'FORBIDDEN' });
    }
  });

  test('[LE13] a session’s newer connection takes over, and the older one is closed', async () => {
    const project = await newProject(patient);
    const item = await newItem(patient, project);
    const session_id = randomUUID();
    const older = await connectAgent(patient, project.name, 'a', { session_id });
    await older.call('item.claim', { id: item.id });
    const closed = new Promise((resolve) => older.socket.once('disconnect', resolve));
    const newer = await connectAgent(patient, project.name, 'a', { session_id });
    await closed;
    expect(newer.ready!.claims).toMatchObject([{ item: { id: item.id } }]);
    // The older one's end is no end of the session.
    const { holder } = await newer.call('item.explain', { id: item.id });
    expect(holder).toMatchObject({ connected: true, session_id });
    expect((await complete(newer, item)).item.status).toBe('done');
  });

  test('[LE14] a hub that starts waits one grace period before it puts anything back', async () => {
    const timing = { leaseSeconds: 0.5, heartbeatSeconds: 0.1, graceSeconds: 1.5 };
    const before = await startTestHub({ timing });
    const project = await newProject(before);
    const [kept, lost] = await newItems(before, project, 2);
    const session_id = randomUUID();
    const agent = await connectAgent(before, project.name, 'a', { session_id });
    const { claim } = await agent.call('item.claim', { id: kept!.id });
    await call(before, 'item.claim', { id: lost!.id, agent_id: 'b', lease_seconds: 0.2 });
    await before.stop();
    await until('both leases are over', () => Date.now() > Date.parse(claim.lease_expires_at));

    const startedAt = Date.now();
    const after = await startTestHub({ timing, database: before.database });
    try {
      const again = await connectAgent(after, project.name, 'a', { session_id });
      expect(again.ready!.claims).toMatchObject([{ attempt: 1, item: { id: kept!.id } }]);
      const pulse = setInterval(() => void beat(again).catch(() => {}), 100);
      const [requeued] = await until('the other is put back', async () => {
        const found = await eventsOf(after, lost!, 'item.requeued');
        return found.length > 0 && found;
      });
      expect(Date.parse(requeued!.at)).toBeGreaterThanOrEqual(startedAt + 1_500);
      clearInterval(pulse);
      expect((await complete(again, kept!)).item).toMatchObject({ status: 'done', attempt: 1 });
    } finally {
      await after.stop();
    }
  });
});

describe('over HTTP', () => {
  test('[LE20] a claim has a lease of its own, 300 s unless it says otherwise', async () => {
    const project = await newProject(brief);
    const [usual, long] = await newItems(brief, project, 2);
    const one = await call(brief, 'item.claim', { id: usual!.id, agent_id: 'h' });
    const two = await call(brief, 'item.claim', { id: long!.id, agent_id: 'h', lease_seconds: 86_400 });
    expect(seconds(one.claim.item.assigned_at!, one.claim.lease_expires_at)).toBeCloseTo(300, 2);
    expect(seconds(two.claim.item.assigned_at!, two.claim.lease_expires_at)).toBeCloseTo(86_400, 2);
    const tooLong = call(brief, 'item.claim', { id: long!.id, agent_id: 'h', lease_seconds: 86_401 });
    expect(await refusal(tooLong)).toMatchObject({ code: 'VALIDATION' });
  });

  test('[LE21] any command of the agent on the item renews it, and it ends without', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project);
    const who = { id: item.id, agent_id: 'h', attempt: 1 };
    const { claim } = await call(brief, 'item.claim', { id: item.id, agent_id: 'h', lease_seconds: 0.8 });
    let end = claim.lease_expires_at;
    const renewals = [
      async () => (await call(brief, 'item.heartbeat', who)).lease_expires_at,
      async () => (await call(brief, 'item.report_files', { ...who, files: ['a.ts'] })).item.lease_expires_at,
      async () => (await call(brief, 'item.report_files', { ...who, files: ['a.ts'] })).item.lease_expires_at,
      async () => (await call(brief, 'item.claim', { id: item.id, agent_id: 'h' })).claim.lease_expires_at,
    ];
    for (const renew of renewals) {
      await until('some of it is over', () => Date.now() > Date.parse(end) - 600);
      const renewed = await renew();
      expect(Date.parse(renewed!)).toBeGreaterThan(Date.parse(end));
      end = renewed!;
    }
    const [requeued] = await until('it is put back', async () => {
      const found = await eventsOf(brief, item, 'item.requeued');
      return found.length > 0 && found;
    });
    expect(Date.parse(requeued!.at)).toBeGreaterThanOrEqual(Date.parse(end));
    expect(await refusal(call(brief, 'item.heartbeat', who))).toMatchObject({
      code: 'CLAIM_LOST',
      details: { reason: 'lease_expired' },
    });
  });

  test('[LE22] a claim may shorten its lease over a socket, and heartbeats that name it renew it', async () => {
    const project = await newProject(patient);
    const item = await newItem(patient, project);
    const agent = await connectAgent(patient, project.name, 'a');
    const { claim } = await agent.call('item.claim', { id: item.id, lease_seconds: 1 });
    expect(seconds(claim.item.assigned_at!, claim.lease_expires_at)).toBeCloseTo(1, 2);
    const pulse = setInterval(
      () => void beat(agent, [{ item_id: item.id, attempt: 1 }]).catch(() => {}),
      100,
    );
    await until('the lease would be over', () => Date.now() > Date.parse(claim.lease_expires_at) + 500);
    clearInterval(pulse);
    expect(await getItem(patient, item.id)).toMatchObject({ status: 'claimed', attempt: 1 });
    expect(await agent.hear('claim.lost')).toEqual({ item_id: item.id, attempt: 1, reason: 'lease_expired' });
    const long = await agent.call('item.claim', { id: item.id, lease_seconds: 80_000 });
    expect(seconds(long.claim.item.assigned_at!, long.claim.lease_expires_at)).toBeLessThan(61);
  });

  test('[LE23] lost more often in a row than max_lost, an item fails with a reason; a retry counts anew', async () => {
    const project = await newProject(brief);
    const item = await newItem(brief, project, { max_attempts: 9 });
    const lose = async (attempt: number) => {
      await call(brief, 'item.claim', { id: item.id, agent_id: 'h', lease_seconds: 0.1 });
      return until('it is lost', async () => {
        const now = await getItem(brief, item.id);
        return now.status !== 'claimed' && now.attempt === attempt && now;
      });
    };
    for (let attempt = 1; attempt <= 5; attempt++)
      expect(await lose(attempt)).toMatchObject({ status: 'todo', lost_count: attempt, failure_count: 0 });
    expect(await lose(6)).toMatchObject({
      status: 'failed',
      lost_count: 6,
      retry_at: null,
      failure_reason: expect.stringContaining('lost 6 times in a row') as string,
    });
    const [failed] = await eventsOf(brief, item, 'item.failed');
    expect(failed).toMatchObject({ actor: 'hub', attempt: 6, data: { reason: 'lease_expired' } });
    const { item: retried } = await call(brief, 'item.retry', { id: item.id });
    expect(retried).toMatchObject({ status: 'todo', lost_count: 0 });
    expect(await lose(7)).toMatchObject({ status: 'todo', lost_count: 1 });
    await call(brief, 'item.claim', { id: item.id, agent_id: 'h' });
    const { item: released } = await call(brief, 'item.release', { id: item.id, agent_id: 'h', attempt: 8 });
    expect(released).toMatchObject({ status: 'todo', lost_count: 0 });
    expect(await violationsOf(brief, project, 'stuck')).toEqual([]);
  });
});
