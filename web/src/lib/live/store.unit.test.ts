import type { Item, Status } from '@switchyard/shared/item';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparator, matches, type Filter, type Sort } from './matching.ts';
import { ItemStore } from './store.ts';
import { ItemWindow } from './window.ts';

const watchWindow = 4;
const statuses: Status[] = ['todo', 'claimed', 'done', 'failed', 'cancelled'];

/** The hub, as far as lists go: what it holds, and every change it told of. */
class Model {
  readonly items = new Map<string, Item>();
  #now = 0;

  change(number: number, status: Status, priority: number): Item {
    const id = `item-${number}`;
    const version = (this.items.get(id)?.version ?? 0) + 1;
    const updated_at = `t${String(++this.#now).padStart(6, '0')}`;
    const before = this.items.get(id);
    const over = status === 'done' || status === 'cancelled';
    // A change of what is over does not end it anew.
    const completed_at = over ? (before?.completed_at ?? updated_at) : null;
    const title = `item ${number}`;
    const item = { id, number, status, priority, version, updated_at, completed_at, title } as Item;
    this.items.set(id, item);
    return item;
  }

  list(filter: Filter, sort: Sort): Item[] {
    return [...this.items.values()].filter((item) => matches(filter, item)).sort(comparator(sort));
  }

  snapshot(): Item[] {
    const first = (status: Status, sort: Sort) => this.list({ status: [status] }, sort);
    return statuses.flatMap((status) => {
      const all = first(status, status === 'todo' ? 'priority' : '-completed');
      return status === 'claimed' || status === 'failed' ? all : all.slice(0, watchWindow);
    });
  }
}

const windows: [Filter, Sort][] = [
  [{ status: ['todo'] }, 'priority'],
  [{ status: ['todo'], priority: 1 }, 'priority'],
  [{ status: ['claimed'] }, 'priority'],
  [{ status: ['failed'] }, '-number'],
  [{ status: ['done'] }, '-completed'],
  [{ status: ['cancelled'] }, '-updated'],
  [{}, 'agent'],
  [{}, '-status'],
  [{}, 'title'],
];

const change = fc.record({
  kind: fc.constant('change' as const),
  number: fc.integer({ min: 1, max: 14 }),
  status: fc.constantFrom(...statuses),
  priority: fc.integer({ min: 0, max: 2 }),
});
const step = fc.oneof(
  { weight: 8, arbitrary: change },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('hear' as const), again: fc.boolean(), last: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), window: fc.nat(windows.length - 1) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('answer' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
);

interface Asked {
  answer: () => void;
  page: { items: Item[]; next: string | null };
}

test('whatever order, doubles and delays: every window shows what the hub would list, as far as it reaches', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 20 }),
      fc.array(step, { maxLength: 60 }),
      async (before, steps) => {
        const model = new Model();
        for (const { number, status, priority } of before) model.change(number, status, priority);
        const store = new ItemStore();
        const shown = windows.map(([filter, sort]) => new ItemWindow(filter, sort));
        for (const window of shown) store.addKeeper(window);
        let events: Item[] = [];
        const asked: Asked[] = [];
        let epoch = 0;
        const frame = () => {
          for (const window of shown) if (window.select(store.values()).trimmed) store.reconsider();
          store.sweep();
        };
        const takeSnapshot = () => {
          // What came before it is in it.
          epoch++;
          events = [];
          const items = model.snapshot();
          store.replace(items);
          for (const window of shown) window.seed(items, watchWindow);
        };
        const hear = (item: Item) => {
          store.put(item);
          frame();
        };
        const ask = (window: ItemWindow) => {
          const [filter, sort] = [window.filter, window.sort];
          const all = model.list(filter, sort);
          const from = Number(window.cursor ?? 0);
          const size = window.cursor ? 2 : window.select(store.values()).rows.length + 2;
          const compare = comparator(sort);
          const start = window.cursor ? all.findIndex((item) => compare(item, cursors[from]!) > 0) : 0;
          const items = start < 0 ? [] : all.slice(start, start + size);
          const more = start >= 0 && start + size < all.length;
          if (more) cursors.push(items.at(-1)!);
          const page = { items, next: more ? String(cursors.length - 1) : null };
          const at = epoch;
          void store.reading(
            () =>
              new Promise<void>((done) => {
                asked.push({
                  page,
                  answer: () => {
                    if (at === epoch) {
                      for (const item of page.items) store.put(item);
                      window.extend(page.items, page.next);
                    }
                    done();
                  },
                });
              }),
          );
        };
        const cursors: Item[] = [{} as Item];
        const answered = async () => {
          asked.shift()?.answer();
          await Promise.resolve();
          await Promise.resolve();
          frame();
        };
        takeSnapshot();
        for (const one of steps) {
          if (one.kind === 'change') events.push(model.change(one.number, one.status, one.priority));
          else if (one.kind === 'hear') {
            // Out of order, and some twice.
            const item = one.last ? events.pop() : events.shift();
            if (item) hear(item);
            if (item && one.again) hear(item);
          } else if (one.kind === 'ask') {
            // One question at a time for a window, as the board does.
            if (asked.length === 0) ask(shown[one.window]!);
          } else if (one.kind === 'answer') await answered();
          else takeSnapshot();
        }
        while (asked.length > 0) await answered();
        for (const item of events) hear(item);
        frame();
        for (const window of shown) {
          const { rows } = window.select(store.values());
          const all = model.list(window.filter, window.sort);
          const { bound } = window;
          const compare = comparator(window.sort);
          const within = all.filter(
            (item) => bound === 'all' || (bound !== 'none' && compare(item, bound) <= 0),
          );
          expect(rows.map(({ id, version }) => `${id} v${version}`)).toEqual(
            within.map(({ id, version }) => `${id} v${version}`),
          );
        }
        // Memory: what no window reaches is not kept, but for what is always kept.
        for (const item of store.values())
          expect(
            shown.some((window) => window.keeps(item)) || ['claimed', 'failed'].includes(item.status),
          ).toBe(true);
      },
    ),
    { numRuns: 1_500 },
  );
}, 60_000);

test('a window that grows at its top gives up its end', () => {
  const model = new Model();
  const store = new ItemStore();
  const window = new ItemWindow({ status: ['done'] }, '-completed');
  store.addKeeper(window);
  window.seed([], 200);
  for (let number = 1; number <= 5_000; number++) {
    store.put(model.change(number, 'done', 5));
    if (window.select(store.values()).trimmed) store.reconsider();
    store.sweep();
  }
  const { rows } = window.select(store.values());
  expect(store.size).toBeLessThanOrEqual(201);
  expect(rows[0]?.number).toBe(5_000);
});
