import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  call,
  connectAgent,
  newProject,
  refusal,
  startTestHub,
  type Client,
  type TestHub,
} from './setup/hub.ts';
import {
  eventsOf,
  get,
  hearAbout,
  httpAgent,
  make,
  makeAll,
  refusedIn,
  unchanged,
  watch,
} from './setup/work.ts';

let hub: TestHub;
beforeAll(async () => {
  // A short grace lets the hub put back what lapsed soon after its start.
  hub = await startTestHub({ timing: { graceSeconds: 0.2 } });
});
afterAll(() => hub.stop());

const project = async () => (await newProject(hub)).id;
const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('claiming by id', () => {
  test('[CL1] an item that another holds is refused, with who holds it and until when', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const { claim } = await httpAgent(hub, 'a1').claim(id);
    expect(await refusedIn(hub, p, () => httpAgent(hub, 'a2').claim(id))).toMatchObject({
      code: 'ALREADY_CLAIMED',
      details: {
        holder: 'a1',
        assigned_at: claim.item.assigned_at,
        lease_expires_at: claim.lease_expires_at,
        holder_connected: false,
      },
    });
  });

  test('[CL1] of a holder with a socket it says that it is connected', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const agent = await connectAgent(hub, p, 'a1');
    await agent.call('item.claim', { id });
    const error = await refusal(httpAgent(hub, 'a2').claim(id));
    expect(error.details).toMatchObject({ holder: 'a1', holder_connected: true });
  });

  test('[CL2] claiming what one holds answers with the claim one has', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const agent = await connectAgent(hub, p, 'a1');
    const first = await agent.call('item.claim', { id });
    expect(await unchanged(hub, p, () => agent.call('item.claim', { id }))).toEqual(first);
    const other = await make(hub, p);
    const http = await httpAgent(hub, 'a2').claim(other.id);
    const again = await httpAgent(hub, 'a2').claim(other.id);
    expect(again.claim).toMatchObject({ attempt: 1, session_id: http.claim.session_id });
    expect(await eventsOf(hub, p, 'item.claimed')).toHaveLength(2);
  });

  test('[CL2] and, over HTTP, is a sign of life', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const agent = httpAgent(hub, 'a1');
    const first = await agent.claim(id);
    const again = await agent.claim(id);
    expect(Date.parse(again.claim.lease_expires_at)).toBeGreaterThan(
      Date.parse(first.claim.lease_expires_at),
    );
    expect((await get(hub, id)).lease_expires_at).toBe(again.claim.lease_expires_at);
  });

  test('[CL3] two sessions of one agent_id never own each other’s claims', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const [one, two] = [await connectAgent(hub, p, 'twin'), await connectAgent(hub, p, 'twin')];
    await one.call('item.claim', { id });
    expect(await refusedIn(hub, p, () => two.call('item.claim', { id }))).toMatchObject({
      code: 'ALREADY_CLAIMED',
    });
    for (const [command, more] of Object.entries(ends))
      expect(await refusedIn(hub, p, () => two.call(command, { id, attempt: 1, ...more }))).toMatchObject({
        code: 'CLAIM_LOST',
        details: { status: 'claimed', attempt: 1, holder: 'twin', reason: 'not_the_holder' },
      });
  });

  test('[CL4] of 100 sessions that want one item at once exactly one gets it', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const agents = await Promise.all(times(100, (n) => connectAgent(hub, p, `a${n}`)));
    const results = await Promise.allSettled(agents.map((agent) => agent.call('item.claim', { id })));
    const won = results.filter((result) => result.status === 'fulfilled');
    const lost = results.filter((result) => result.status === 'rejected');
    expect(won).toHaveLength(1);
    expect(won[0]!.value.claim.attempt).toBe(1);
    const holder = won[0]!.value.claim.item.assigned_agent_id;
    expect(lost).toHaveLength(99);
    for (const { reason } of lost)
      expect(reason).toMatchObject({ code: 'ALREADY_CLAIMED', details: { holder } });
    expect(await get(hub, id)).toMatchObject({ attempt: 1, assigned_agent_id: holder });
    expect(await eventsOf(hub, p, 'item.claimed')).toHaveLength(1);
  });

  test('[CL5] files that come with a claim are added to the plan, normalised and once', async () => {
    const p = await project();
    const { id } = await make(hub, p, { files_planned: ['src/a.ts'] });
    const { claim } = await httpAgent(hub, 'a1').claim(id, { files: ['./src/a.ts', 'src/**/*.md', 'docs/'] });
    expect(claim.item.files_planned).toEqual(['src/a.ts', 'src/**/*.md', 'docs/']);
    const [event] = await eventsOf(hub, p, 'item.claimed');
    expect(event!.data.files_planned).toEqual(claim.item.files_planned);
  });
});

const ends: Record<string, Record<string, unknown>> = {
  'item.heartbeat': { progress: 50 },
  'item.report_files': { files: ['a'] },
  'item.complete': { result_summary: 'x', files_modified: ['b'] },
  'item.fail': { failure_reason: 'x' },
  'item.release': {},
};

describe('the fence', () => {
  test('[CL6] a zombie whose lease ended is refused whatever it says, and nothing changes', async () => {
    const p = await project();
    const watcher = await watch(hub, p);
    const { id } = await make(hub, p);
    const zombie = httpAgent(hub, 'zombie');
    await zombie.claim(id, { lease_seconds: 0.1 });
    await hearAbout(watcher, 'item.requeued', id);
    for (const [command, more] of Object.entries(ends)) {
      const input = { id, agent_id: 'zombie', attempt: 1, ...more };
      const error = await refusedIn(hub, p, () => call(hub, command as 'item.get', input));
      expect(error, command).toMatchObject({
        code: 'CLAIM_LOST',
        details: { status: 'todo', attempt: 1, holder: null, reason: 'lease_expired' },
      });
    }
    await httpAgent(hub, 'a2').claim(id);
    for (const [command, more] of Object.entries(ends)) {
      const input = { id, agent_id: 'zombie', attempt: 1, ...more };
      const error = await refusedIn(hub, p, () => call(hub, command as 'item.get', input));
      expect(error, command).toMatchObject({
        code: 'CLAIM_LOST',
        details: { status: 'claimed', attempt: 2, holder: 'a2', reason: 'lease_expired' },
      });
    }
    // Nor does it help to guess the attempt of the other.
    const guess = { id, agent_id: 'zombie', attempt: 2, result_summary: 'x' };
    expect(await refusedIn(hub, p, () => call(hub, 'item.complete', guess))).toMatchObject({
      code: 'CLAIM_LOST',
      details: { reason: 'not_the_holder' },
    });
    expect((await httpAgent(hub, 'a2').complete(id, 2)).item.status).toBe('done');
  });

  test('[CL6] an agent that claimed again may not write under its earlier attempt', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const agent = await connectAgent(hub, p, 'a1');
    await agent.call('item.claim', { id });
    await agent.call('item.release', { id, attempt: 1 });
    await agent.call('item.claim', { id });
    for (const [command, more] of Object.entries(ends))
      expect(await refusedIn(hub, p, () => agent.call(command, { id, attempt: 1, ...more }))).toMatchObject({
        code: 'CLAIM_LOST',
        details: { status: 'claimed', attempt: 2, holder: 'a1', reason: 'released' },
      });
    expect(await refusedIn(hub, p, () => agent.call('item.release', { id, attempt: 3 }))).toMatchObject({
      code: 'CLAIM_LOST',
      details: { attempt: 2, reason: 'no_such_attempt' },
    });
  });

  test('[CL6] each end of an attempt is told as the reason', async () => {
    const p = await project();
    const agent = httpAgent(hub, 'a1');
    const stories: [string, (id: string) => Promise<unknown>][] = [
      ['completed', (id) => agent.complete(id, 1)],
      ['failed', (id) => agent.fail(id, 1)],
      ['released', (id) => agent.release(id, 1)],
      ['cancelled', (id) => call(hub, 'item.cancel', { id, reason: 'why not' })],
    ];
    for (const [reason, end] of stories) {
      const { id } = await make(hub, p);
      await agent.claim(id);
      await end(id);
      const error = await refusedIn(hub, p, () => agent.heartbeat(id, 1));
      expect(error).toMatchObject({ code: 'CLAIM_LOST', details: { reason } });
    }
  });
});

describe('without waiting for answers', () => {
  const done = { result_summary: 'did it', files_modified: [] };

  test('[CL16] completes and claims again, though others asked to claim before', async () => {
    const p = await project();
    await makeAll(
      hub,
      p,
      times(30, () => ({})),
    );
    const busy = await Promise.all(times(6, (n) => connectAgent(hub, p, `busy-${n}`)));
    const claims = await Promise.all(busy.map((agent) => agent.call('item.claim_next', { project: p })));
    const idle = await Promise.all(times(6, (n) => connectAgent(hub, p, `idle-${n}`)));
    const others = idle.map((agent) => agent.call('item.claim_next', { project: p }));
    const again = busy.map(async (agent, n) => {
      const { item, attempt } = claims[n]!.claim!;
      const ended = agent.call('item.complete', { id: item.id, attempt, ...done });
      const next = agent.call('item.claim_next', { project: p });
      return { ended: (await ended).item.status, next: (await next).claim?.item.status };
    });
    expect(await Promise.all(again)).toEqual(times(6, () => ({ ended: 'done', next: 'claimed' })));
    expect((await Promise.all(others)).every(({ claim }) => claim !== null)).toBe(true);
  });

  test('[CL16] says all there is to say of a claim, and ends it', async () => {
    const p = await project();
    await makeAll(
      hub,
      p,
      times(20, () => ({})),
    );
    const agents = await Promise.all(times(20, (n) => connectAgent(hub, p, `a${n}`)));
    const said = await Promise.all(
      agents.map(async (agent, n) => {
        const { item, attempt } = (await agent.call('item.claim_next', { project: p })).claim!;
        const about = { id: item.id, attempt };
        const words = [
          () => agent.call('item.report_files', { ...about, files: [`src/${n}.ts`] }),
          () => agent.call('item.heartbeat', { ...about, progress: 50 }),
        ];
        if (n % 2 === 1) words.reverse();
        await Promise.all([...words.map((say) => say()), agent.call('item.complete', { ...about, ...done })]);
        return item.id;
      }),
    );
    const events = await eventsOf(hub, p);
    const toldOf = (id: string) => events.filter(({ item_id }) => item_id === id).map(({ type }) => type);
    said.forEach((id, n) => {
      const words = ['item.files_reported', 'item.progressed'];
      if (n % 2 === 1) words.reverse();
      expect(toldOf(id)).toEqual(['item.created', 'item.claimed', ...words, 'item.completed']);
    });
  });
});

describe('claim_next', () => {
  test('[CL7] takes by priority, then by number', async () => {
    const p = await project();
    await makeAll(
      hub,
      p,
      [5, 9, 0, 5, 1, 0].map((priority) => ({ priority })),
    );
    const agent = httpAgent(hub, 'a1');
    const taken: number[] = [];
    for (let next = await agent.next(p); next.claim; next = await agent.next(p))
      taken.push(next.claim.item.number);
    expect(taken).toEqual([3, 6, 5, 1, 4, 2]);
  });

  test('[CL7] nothing ready: no claim, and no line in the log', async () => {
    const p = await project();
    const [a] = await makeAll(hub, p, [{ ref: 'a' }, { dependencies: ['a'] }]);
    await httpAgent(hub, 'a1').claim(a!.id);
    expect(await unchanged(hub, p, () => httpAgent(hub, 'a2').next(p))).toEqual({ claim: null });
  });

  test('[CL8] takes the types asked for only: of the call, else of the session', async () => {
    const p = await project();
    await makeAll(hub, p, [{ task_type: 'feature' }, {}, { task_type: 'bug' }, { task_type: 'docs' }]);
    const bugs = await connectAgent(hub, p, 'a1', { task_types: ['bug'], capacity: 5 });
    const took = async (more = {}) =>
      (await bugs.call('item.claim_next', { project: p, ...more })).claim?.item.number;
    expect(await took()).toBe(3);
    expect(await took()).toBeUndefined();
    expect(await took({ task_types: ['test', 'docs'] })).toBe(4);
    const any = await connectAgent(hub, p, 'a2', { capacity: 5 });
    expect((await any.call('item.claim_next', { project: p })).claim?.item.number).toBe(1);
    expect((await any.call('item.claim_next', { project: p })).claim?.item.number).toBe(2);
  });

  test('[CL9] never gives a session more than its capacity, also when it asks ten times at once', async () => {
    const p = await project();
    await makeAll(
      hub,
      p,
      times(20, () => ({})),
    );
    const agent = await connectAgent(hub, p, 'a1', { capacity: 3 });
    const answers = await Promise.all(times(10, () => agent.call('item.claim_next', { project: p })));
    expect(answers.filter(({ claim }) => claim !== null)).toHaveLength(3);
    for (const answer of answers.filter(({ claim }) => claim === null))
      expect(answer).toEqual({ claim: null, reason: 'at_capacity' });
    const { id, attempt } = answers.find(({ claim }) => claim !== null)!.claim!.item;
    const ended = await agent.call('item.complete', { id, attempt, result_summary: 'x', claim_next: true });
    expect(ended.next?.claim).not.toBeNull();
    expect(await agent.call('item.claim_next', { project: p })).toEqual({
      claim: null,
      reason: 'at_capacity',
    });
    const { total } = await call(hub, 'item.list', { project: p, status: 'claimed' });
    expect(total).toBe(3);
  });

  test('[CL10] 20 sessions empty a queue of 2,000 items, and no item goes to two', async () => {
    const p = await project();
    for (const n of [0, 1])
      await makeAll(
        hub,
        p,
        times(1_000, (m) => ({ title: `${n} ${m}` })),
      );
    const agents = await Promise.all(times(20, (n) => connectAgent(hub, p, `a${n}`)));
    const work = async (agent: Client): Promise<number[]> => {
      const done: number[] = [];
      const first = await agent.call('item.claim_next', { project: p });
      let { claim } = first;
      while (claim) {
        done.push(claim.item.number);
        const { id } = claim.item;
        const input = { id, attempt: claim.attempt, result_summary: 'x', claim_next: true };
        const { next } = await agent.call<{ next: typeof first }>('item.complete', input);
        ({ claim } = next);
      }
      return done;
    };
    const done = (await Promise.all(agents.map(work))).flat();
    expect(done.sort((a, b) => a - b)).toEqual(times(2_000, (n) => n + 1));
    const { progress } = await call(hub, 'project.progress', { project: p });
    expect(progress).toMatchObject({ done: 2_000, todo: 0, claimed: 0, percent: 100 });
    const { items } = await call(hub, 'item.list', { project: p, limit: 500 });
    expect(items.filter((item) => item.attempt !== 1)).toEqual([]);
  });

  test('[CL11] an end may bring the next claim along, of the types it asks for', async () => {
    const p = await project();
    await makeAll(hub, p, [{}, { task_type: 'docs' }, { task_type: 'bug' }, {}]);
    const agent = httpAgent(hub, 'a1');
    const { claim } = await agent.next(p);
    const first = await agent.complete(claim!.item.id, 1, { claim_next: { task_types: ['bug'] } });
    expect(first.next).toMatchObject({
      claim: { attempt: 1, item: { number: 3, status: 'claimed' } },
      conflicts: [],
    });
    const second = await agent.fail(first.next!.claim!.item.id, 1, { claim_next: true });
    expect(second).toMatchObject({ item: { status: 'failed' }, next: { claim: { item: { number: 2 } } } });
    const third = await agent.complete(second.next!.claim!.item.id, 1, {
      claim_next: { task_types: ['bug'] },
    });
    expect(third.next).toEqual({ claim: null });
    const last = await agent.next(p);
    const none = await agent.complete(last.claim!.item.id, 1, { claim_next: false });
    expect(none.next).toBeUndefined();
  });
});

describe('agents over HTTP', () => {
  const lease = ({
    item,
    lease_expires_at,
  }: {
    item: { assigned_at: string | null };
    lease_expires_at: string;
  }) => (Date.parse(lease_expires_at) - Date.parse(item.assigned_at!)) / 1_000;

  test('[CL12] say how long their lease is: 300 s unless told, at most a day', async () => {
    const p = await project();
    await makeAll(hub, p, [{}, {}, {}]);
    const agent = httpAgent(hub, 'a1');
    expect(lease((await agent.next(p)).claim!)).toBe(300);
    expect(lease((await agent.next(p, { lease_seconds: 86_400 })).claim!)).toBe(86_400);
    for (const lease_seconds of [0, -1, 86_401, '60'])
      expect(await refusedIn(hub, p, () => agent.next(p, { lease_seconds }))).toMatchObject({
        code: 'VALIDATION',
        details: { issues: [{ path: 'lease_seconds' }] },
      });
  });

  test('[CL12] renew it with any command about the item', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    const agent = httpAgent(hub, 'a1');
    let { lease_expires_at: last } = (await agent.claim(id, { lease_seconds: 1_000 })).claim;
    const renewed = (next: string) => {
      expect(Date.parse(next)).toBeGreaterThan(Date.parse(last));
      last = next;
    };
    const beat = await agent.heartbeat(id, 1, { progress: 10, note: 'on it' });
    renewed(beat.lease_expires_at);
    expect(beat.item).toMatchObject({ progress: 10, progress_note: 'on it', lease_expires_at: last });
    renewed((await agent.heartbeat(id, 1)).lease_expires_at);
    renewed((await agent.files(id, 1, ['a'])).item.lease_expires_at!);
    renewed((await agent.files(id, 1, ['a'])).item.lease_expires_at!);
    expect((await eventsOf(hub, p)).map((event) => event.type)).toEqual([
      'item.created',
      'item.claimed',
      'item.progressed',
      'item.files_reported',
    ]);
  });

  test('[CL13] must say who they are', async () => {
    const p = await project();
    const { id } = await make(hub, p);
    for (const act of [
      () => call(hub, 'item.claim', { id }),
      () => call(hub, 'item.claim_next', { project: p }),
    ])
      expect(await refusedIn(hub, p, act)).toMatchObject({
        code: 'VALIDATION',
        details: { issues: [{ path: 'agent_id', message: 'is missing' }] },
      });
  });

  test('[CL13] with a token that is bound to an agent, are that agent whatever they say', async () => {
    const p = await project();
    const { token } = await call(hub, 'token.create', {
      role: 'agent',
      label: 'bound',
      agent_id: 'true-name',
    });
    await makeAll(hub, p, [{}, {}]);
    const bound = httpAgent(hub, 'false-name', token.token);
    const { claim } = await bound.next(p);
    expect(claim!.item.assigned_agent_id).toBe('true-name');
    await bound.complete(claim!.item.id, 1);
    const { claim: second } = await call(hub, 'item.claim_next', { project: p }, token.token);
    expect(second!.item.assigned_agent_id).toBe('true-name');
    const theft = () =>
      call(hub, 'item.release', { id: second!.item.id, agent_id: 'false-name', attempt: 1 });
    expect(await refusedIn(hub, p, theft)).toMatchObject({ code: 'CLAIM_LOST' });
    const agent = await connectAgent(hub, p, 'false-name', { token: token.token });
    expect(agent.ready!.agent_id).toBe('true-name');
  });

  test('[CL14] may end what their agent claimed over a socket, but no session may end what came over HTTP', async () => {
    const p = await project();
    const [a, b] = await makeAll(hub, p, [{}, {}]);
    const socket = await connectAgent(hub, p, 'a1');
    await socket.call('item.claim', { id: a!.id });
    expect((await httpAgent(hub, 'a1').complete(a!.id, 1)).item.status).toBe('done');
    await httpAgent(hub, 'a1').claim(b!.id);
    const end = () => socket.call('item.complete', { id: b!.id, attempt: 1, result_summary: 'x' });
    expect(await refusedIn(hub, p, end)).toMatchObject({
      code: 'CLAIM_LOST',
      details: { reason: 'not_the_holder' },
    });
  });
});

test('[CL15] one project’s agent does not reach another’s items', async () => {
  const other = await make(hub, await project());
  const agent = await connectAgent(hub, await project(), 'a1');
  const tries: [string, Record<string, unknown>][] = [
    ['item.claim', { id: other.id }],
    ['item.claim_next', { project: other.project_id }],
    ['item.get', { id: other.id }],
    ['item.explain', { id: other.id }],
    ['item.history', { id: other.id }],
    ...Object.entries(ends).map(
      ([command, more]) => [command, { id: other.id, attempt: 1, ...more }] as const,
    ),
  ] as [string, Record<string, unknown>][];
  for (const [command, input] of tries) {
    const error = await refusedIn(hub, other.project_id, () => agent.call(command, input));
    expect(error, command).toMatchObject({ code: 'NOT_FOUND' });
  }
});
