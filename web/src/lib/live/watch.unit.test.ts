import type { ProjectEvent } from '@switchyard/shared/protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { HubSocket } from './socket.ts';
import { ProjectWatch } from './watch.ts';

const eventOf = (seq: number) => ({ project_id: 'p', seq }) as ProjectEvent;
const snapshotAt = (seq: number) => ({ ok: true, result: { seq, project: { id: 'p' }, items: [] } });
const catchUpTo = (seq: number, ...seqs: number[]) => ({
  ok: true,
  result: { seq, events: seqs.map(eventOf) },
});
const refusal = (code: string) => ({ code, message: code, details: {} });

/** A hub of which the test writes the answers. */
class FakeSocket {
  connected = false;
  active = true;
  asked: unknown[] = [];
  answers: ((answer: unknown) => void)[] = [];
  handlers = new Map<string, (payload?: unknown) => void>();

  on(name: string, handler: (payload?: unknown) => void) {
    this.handlers.set(name, handler);
  }
  off() {
    this.handlers.clear();
  }
  timeout() {
    return this;
  }
  emitWithAck(name: string, input: { after?: number }) {
    if (name !== 'project.watch') return Promise.resolve({ ok: false });
    this.asked.push(input.after);
    return new Promise((answer) => this.answers.push(answer));
  }
  connect() {
    this.connected = true;
    this.hear('connect');
  }
  disconnect() {
    this.connected = false;
  }
  hear(name: string, payload?: unknown) {
    this.handlers.get(name)?.(payload);
  }
  async answer(answer: unknown) {
    await vi.advanceTimersByTimeAsync(600);
    this.answers.shift()?.(answer);
    await vi.advanceTimersByTimeAsync(0);
  }
}

let socket: FakeSocket;
let heard: (number | string)[];

beforeEach(() => {
  vi.useFakeTimers();
  socket = new FakeSocket();
  heard = [];
  const watch = new ProjectWatch(socket as unknown as HubSocket, 'demo', {
    state: (state) => heard.push(state),
    snapshot: ({ seq }) => heard.push(`snapshot ${seq}`),
    events: (events) => heard.push(...events.map(({ seq }) => seq)),
    progress: () => {},
    agents: () => {},
    refused: ({ code }) => heard.push(code),
  });
  watch.start();
});

afterEach(() => {
  vi.useRealTimers();
});

test('a snapshot, then every event once and in order', async () => {
  await socket.answer(snapshotAt(5));
  for (const seq of [5, 6, 6, 7]) socket.hear('project.event', eventOf(seq));
  expect(heard).toEqual(['connecting', 'catching_up', 'snapshot 5', 'live', 6, 7]);
});

test('events that overtake the answer wait for it', async () => {
  socket.hear('project.event', eventOf(6));
  await socket.answer(snapshotAt(5));
  expect(heard).toEqual(['connecting', 'catching_up', 'snapshot 5', 'live', 6]);
});

test('a gap is healed from the last event seen, with one question', async () => {
  await socket.answer(snapshotAt(5));
  heard = [];
  for (const seq of [8, 9]) socket.hear('project.event', eventOf(seq));
  await socket.answer(catchUpTo(8, 6, 7, 8));
  expect(socket.asked).toEqual([undefined, 5]);
  expect(heard).toEqual([6, 7, 8, 'live', 9]);
});

test('after a reconnect it goes on where it was', async () => {
  await socket.answer(snapshotAt(5));
  heard = [];
  socket.hear('disconnect');
  socket.hear('connect');
  await socket.answer(catchUpTo(6, 6));
  expect(socket.asked).toEqual([undefined, 5]);
  expect(heard).toEqual(['reconnecting', 'catching_up', 6, 'live']);
});

test('a log shorter than what was seen of it is read anew', async () => {
  await socket.answer(snapshotAt(5));
  heard = [];
  socket.hear('disconnect');
  socket.hear('connect');
  await socket.answer(catchUpTo(2));
  await socket.answer(snapshotAt(2));
  expect(socket.asked).toEqual([undefined, 5, undefined]);
  expect(heard).toEqual(['reconnecting', 'catching_up', 'snapshot 2', 'live']);
});

test('away for long, it says that it is offline', async () => {
  await socket.answer(snapshotAt(5));
  socket.hear('disconnect');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(heard.at(-1)).toBe('offline');
});

test('a refusal that passes is tried again, one that stays is told', async () => {
  await socket.answer({ ok: false, error: refusal('UNAVAILABLE') });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(socket.asked).toHaveLength(2);
  await socket.answer({ ok: false, error: refusal('NOT_FOUND') });
  expect(heard).toEqual(['connecting', 'catching_up', 'NOT_FOUND']);
  expect(socket.connected).toBe(false);
});

test('a connection that the hub itself refused or closed is opened again', async () => {
  await socket.answer(snapshotAt(5));
  Object.assign(socket, { active: false, connected: false });
  socket.hear('disconnect');
  await vi.advanceTimersByTimeAsync(2_000);
  expect(socket.connected).toBe(true);
});

test('whatever is lost, doubled or out of order: each event arrives once, in order, and the last of all', async () => {
  const fate = fc.record({
    kind: fc.constantFrom('heard' as const, 'twice' as const, 'lost' as const, 'late' as const),
    cut: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fate, { minLength: 1, maxLength: 30 }), async (fates) => {
      const hub = new FakeSocket();
      const seen: number[] = [];
      new ProjectWatch(hub as unknown as HubSocket, 'demo', {
        state: () => {},
        snapshot: ({ seq }) => seen.push(seq),
        events: (events) => seen.push(...events.map(({ seq }) => seq)),
        progress: () => {},
        agents: () => {},
        refused: () => {},
      }).start();
      let seq = 1;
      // What the hub answers whenever it is asked: all that came after.
      const answer = async () => {
        while (hub.answers.length > 0) {
          const after = hub.asked.at(-1) as number | undefined;
          const missed = Array.from({ length: seq - (after ?? 0) }, (_, at) => (after ?? 0) + at + 1);
          await hub.answer(after === undefined ? snapshotAt(seq) : catchUpTo(seq, ...missed));
        }
      };
      await answer();
      let late: number[] = [];
      for (const { kind, cut } of fates) {
        seq++;
        if (kind === 'late') late.push(seq);
        else if (kind !== 'lost') {
          for (let times = kind === 'twice' ? 2 : 1; times > 0; times--)
            hub.hear('project.event', eventOf(seq));
          for (const one of late) hub.hear('project.event', eventOf(one));
          late = [];
        }
        if (cut) {
          hub.hear('disconnect');
          hub.hear('connect');
        }
        // A question is not sent at once after another.
        await vi.advanceTimersByTimeAsync(300);
        if (cut) await answer();
      }
      hub.hear('project.event', eventOf(++seq));
      await vi.advanceTimersByTimeAsync(600);
      await answer();
      expect(seen).toEqual(Array.from({ length: seq }, (_, at) => at + 1));
    }),
    { numRuns: 300 },
  );
}, 60_000);
