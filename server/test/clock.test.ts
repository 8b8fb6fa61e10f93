// A hub whose clock is wrong, beside a database and agents whose clocks are right.
import { expect, test } from 'vitest';
import { startChildHub } from './setup/child-hub.ts';
import { call, connectAgent, newProject, refusal } from './setup/hub.ts';
import { complete, eventsOf, getItem, logOf, newItems, violationsOf } from './setup/steps.ts';
import { until } from './setup/until.ts';

const hourSeconds = 3_600;
/** Far more than a busy machine takes, far less than the clock is off. */
const nearMs = 15 * 60 * 1_000;

/** All instants in an answer that are not about now. */
function wrongInstants(answer: unknown): string[] {
  const instants = JSON.stringify(answer).match(/\d{4}-\d\d-\d\dT[\d:.]+Z/g) ?? [];
  expect(instants).not.toEqual([]);
  return instants.filter((instant) => Math.abs(Date.parse(instant) - Date.now()) > nearMs);
}

for (const [how, clockOffBySeconds] of [
  ['fast', hourSeconds],
  ['slow', -hourSeconds],
] as const) {
  test(`[RS8] a hub whose clock is an hour ${how} keeps claims, puts back, retries and lets in as if it were right`, async () => {
    const hub = await startChildHub({ clockOffBySeconds, timing: { grace: 1 } });
    const project = await newProject(hub);
    const { progress: ofNothing } = await call(hub, 'project.progress', { project: project.id });
    expect(wrongInstants(ofNothing.eta_at)).toEqual([]);
    const [kept, dropped, failing, done] = await newItems(hub, project, 5, { max_attempts: 2 });
    const anna = await connectAgent(hub, project.name, 'anna', { capacity: 3 });
    const claims = [kept, failing, done].map((item) => anna.call('item.claim', { id: item!.id }));
    expect(wrongInstants([anna.ready, await Promise.all(claims)])).toEqual([]);

    const ben = await connectAgent(hub, project.name, 'ben');
    await ben.call('item.claim', { id: dropped!.id });
    ben.close();
    await until('it is put back', async () => (await eventsOf(hub, dropped!, 'item.requeued')).length > 0);
    expect(await getItem(hub, kept!.id)).toMatchObject({ status: 'claimed', attempt: 1 });

    const failed = await anna.call('item.fail', { id: failing!.id, attempt: 1, failure_reason: 'not yet' });
    expect(wrongInstants(failed.item.retry_at)).toEqual([]);
    const retried = async () => (await eventsOf(hub, failing!, 'item.requeued'))[0];
    expect((await until('it is tried again', retried)).data).toMatchObject({ reason: 'retry' });

    await complete(anna, done!);
    expect(await anna.call('agent.heartbeat', { claims: [{ item_id: kept!.id, attempt: 1 }] })).toMatchObject(
      {
        lost: [],
      },
    );
    const seen = [
      await call(hub, 'item.explain', { id: kept!.id }),
      await call(hub, 'project.agents', { project: project.id }),
      await logOf(hub, project),
    ];
    expect(wrongInstants(seen)).toEqual([]);
    const { progress } = await call(hub, 'project.progress', { project: project.id });
    expect(Math.abs(Date.parse(progress.eta_at!) - progress.eta_seconds! * 1_000 - Date.now())).toBeLessThan(
      nearMs,
    );

    const token = (inMinutes: number) =>
      call(hub, 'token.create', {
        role: 'viewer',
        label: 'a guest',
        expires_at: new Date(Date.now() + inMinutes * 60_000).toISOString(),
      });
    const { token: good } = await token(30);
    expect((await call(hub, 'item.get', { id: kept!.id }, good.token)).item.id).toBe(kept!.id);
    expect(await refusal(token(-30))).toMatchObject({ code: 'VALIDATION' });
    expect(await violationsOf(hub, project, 'stuck')).toEqual([]);
  });
}
