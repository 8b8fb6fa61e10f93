import { beforeEach, describe, expect, test } from 'vitest';
import type { Event, EventType, Item } from '@switchyard/shared/item';
import { checkHistory, type Violation } from './check.ts';
import { fold } from './fold.ts';

/** Writes a log by hand, and keeps the items as a database would that did just what the log says. */
class Script {
  readonly events: Event[] = [];
  readonly items = new Map<string, Item>();
  #number = 0;

  log(
    type: EventType,
    item_id: string | null,
    data: object = {},
    claim: { session?: string; attempt?: number } = {},
  ): this {
    const seq = this.events.length + 1;
    const at = new Date(seq * 1_000).toISOString();
    const { session = null, attempt = null } = claim;
    const event = {
      project_id: 'p',
      seq,
      type,
      at,
      actor: 'anna',
      item_id,
      attempt,
      session_id: session,
      data,
    } as Event;
    this.events.push(event);
    if (item_id !== null && !type.startsWith('conflict.')) {
      this.items.set(item_id, {
        id: item_id,
        ...fold(this.items.get(item_id), event),
      } as Item);
    }
    return this;
  }

  create(id: string, data: object = {}): this {
    this.#number += 1;
    return this.log('item.created', id, {
      number: this.#number,
      title: id,
      status: 'todo',
      metadata: {},
      ...data,
    });
  }

  claim(id: string, session = 's1', attempt = 1, data: object = {}): this {
    const fields = { status: 'claimed', assigned_agent_id: 'anna', session_id: session, attempt };
    return this.log('item.claimed', id, { ...fields, ...data }, { session, attempt });
  }

  complete(id: string, session = 's1', attempt = 1): this {
    return this.log(
      'item.completed',
      id,
      { status: 'done', progress: 100, result_summary: 'ok' },
      { session, attempt },
    );
  }

  conflict(type: 'conflict.detected' | 'conflict.resolved', a: string, b: string): this {
    return this.log(type, a, { items: [{ work_item_id: a }, { work_item_id: b }], conflicting_files: ['f'] });
  }

  check(): Violation[] {
    return checkHistory(this.events, [...this.items.values()]);
  }
  rules(): string[] {
    return [...new Set(this.check().map((violation) => violation.rule))];
  }
  /** The database as it is, but for these fields. */
  spoil(id: string, fields: Partial<Item>): this {
    this.items.set(id, { ...this.items.get(id)!, ...fields });
    return this;
  }
}

let script: Script;
beforeEach(() => (script = new Script()));

describe('histories that are right', () => {
  test('the empty one', () => expect(script.check()).toEqual([]));

  test('work, a failure and its retry, a lost claim, a release, a cancelled item, a conflict', () => {
    script
      .create('a')
      .create('b', { dependencies: ['a'], blocked_by: ['a'] })
      .create('c', { parent_item_id: 'b' });
    script.log('item.updated', 'b', { blocked_by: ['a', 'c'] });
    script.claim('a').log('item.files_reported', 'a', { files_added: ['f'] }, { session: 's1', attempt: 1 });
    script
      .claim('c', 's2')
      .log('item.files_reported', 'c', { files_added: ['f'] }, { session: 's2', attempt: 1 });
    script.conflict('conflict.detected', 'c', 'a');
    script.log('agent.disconnected', null, {
      session_id: 's2',
      lease_expires_at: new Date(11_000).toISOString(),
    });
    script.log(
      'item.requeued',
      'c',
      { status: 'todo', reason: 'lease_expired', lost_count: 1 },
      { session: 's2', attempt: 1 },
    );
    script.conflict('conflict.resolved', 'a', 'c');
    script.log(
      'item.failed',
      'a',
      { status: 'failed', retry_at: new Date(13_000).toISOString() },
      { session: 's1', attempt: 1 },
    );
    script.log('item.requeued', 'a', { status: 'todo', reason: 'retry', retry_at: null });
    script
      .claim('a', 's3', 2)
      .complete('a', 's3', 2)
      .log('item.updated', 'b', { blocked_by: ['c'] });
    script.claim('c', 's3', 2).log('item.released', 'c', { status: 'todo' }, { session: 's3', attempt: 2 });
    script
      .log('item.cancelled', 'c', { status: 'cancelled', stopping: false })
      .log('item.updated', 'b', { blocked_by: [] });
    script.claim('b', 's4').complete('b', 's4');
    expect(script.check()).toEqual([]);
  });

  test('what waits for something cancelled is not stuck', () => {
    script.create('a').create('b', { dependencies: ['a'], blocked_by: ['a'] });
    script.create('c', { dependencies: ['b'], blocked_by: ['b'] });
    script.log('item.cancelled', 'a', { status: 'cancelled' });
    expect(script.check()).toEqual([]);
  });
});

describe('each broken rule is found', () => {
  test('a gap in the log', () => {
    script.create('a').log('project.updated', null).claim('a').complete('a');
    script.events.splice(1, 1);
    expect(script.check()).toEqual([{ rule: 'gapless', seq: 3, message: '#1 1 is followed by 3' }]);
  });
  test('an event that comes twice', () => {
    script.create('a').claim('a').complete('a');
    script.events.push(script.events.at(-1)!);
    expect(script.rules()).toContain('gapless');
  });

  test('two owners at a time', () => {
    script.create('a').claim('a', 's1', 1).claim('a', 's2', 2).complete('a', 's2', 2);
    expect(script.rules()).toEqual(['transition', 'owner']);
  });
  test('a zombie that completes what another session holds', () => {
    script.create('a').claim('a').log('item.requeued', 'a', { status: 'todo', reason: 'lease_expired' });
    script.claim('a', 's2', 2).complete('a', 's1', 2);
    expect(script.rules()).toEqual(['owner']);
  });
  test('a completion of an older attempt', () => {
    script.create('a').claim('a').log('item.requeued', 'a', { status: 'todo', reason: 'lease_expired' });
    script.claim('a', 's1', 2).complete('a', 's1', 1);
    expect(script.rules()).toEqual(['owner']);
  });
  test('a completion by another agent, in the name of the holder', () => {
    script.create('a').claim('a').complete('a');
    script.events.at(-1)!.actor = 'otto';
    expect(script.rules()).toEqual(['owner']);
  });
  test('progress on what nobody holds', () => {
    script.create('a').log('item.progressed', 'a', { progress: 5 }, { session: 's1', attempt: 1 });
    script.claim('a').complete('a');
    expect(script.rules()).toEqual(['owner']);
  });

  test('an attempt that does not rise', () => {
    script
      .create('a')
      .claim('a')
      .log('item.released', 'a', { status: 'todo' }, { session: 's1', attempt: 1 });
    script.claim('a', 's2', 1).complete('a', 's2', 1);
    expect(script.rules()).toEqual(['attempt']);
  });
  test('an attempt that leaps', () => {
    script.create('a').claim('a', 's1', 2).complete('a', 's1', 2);
    expect(script.rules()).toEqual(['attempt']);
  });
  test('an attempt that anything but a claim changes', () => {
    script.create('a').log('item.updated', 'a', { attempt: 1 }).claim('a', 's1', 2).complete('a', 's1', 2);
    expect(script.rules()).toEqual(['attempt']);
  });

  test('something done twice', () => {
    script.create('a').claim('a').complete('a').complete('a');
    expect(script.rules()).toEqual(['transition', 'owner']);
  });
  test('done that does not last', () => {
    script.create('a').claim('a').complete('a').log('item.retried', 'a', { status: 'todo' });
    script.claim('a', 's1', 2).complete('a', 's1', 2);
    expect(script.rules()).toEqual(['transition']);
  });
  test('a completion after a cancel', () => {
    script
      .create('a')
      .claim('a')
      .log('item.cancelled', 'a', { status: 'cancelled', stopping: true })
      .complete('a');
    expect(script.rules()).toEqual(['transition', 'owner']);
  });
  test('a state that an event leads to and the log denies', () => {
    script.create('a').claim('a').complete('a').log('item.updated', 'a', { status: 'todo' });
    expect(script.rules()).toContain('transition');
  });
  test('an event of an item that was never created, and a second creation', () => {
    expect(script.claim('a').complete('a').rules()).toContain('transition');
    expect(new Script().create('a').create('a').rules()).toContain('transition');
  });
  test('a stop that was confirmed and never asked for', () => {
    script.create('a').log('item.cancelled', 'a', { status: 'cancelled', stopping: false });
    expect(script.log('item.cancel_acknowledged', 'a', { stopping: false }).rules()).toEqual(['transition']);
  });

  test('a claim before a dependency is done', () => {
    script
      .create('a')
      .create('b', { dependencies: ['a'] })
      .claim('b')
      .complete('b')
      .claim('a')
      .complete('a');
    expect(script.check()).toEqual([{ rule: 'order', seq: 3, message: '#2 depends on #1, which is todo' }]);
  });
  test('a claim while a child is open', () => {
    script.create('a').create('b', { parent_item_id: 'a' }).claim('a').complete('a').claim('b').complete('b');
    expect(script.check()).toEqual([{ rule: 'order', seq: 3, message: '#1 its child #2 is todo' }]);
  });
  test('a child that moved away does not count', () => {
    script
      .create('a')
      .create('b', { parent_item_id: 'a' })
      .log('item.updated', 'b', { parent_item_id: null });
    expect(script.claim('a').complete('a').claim('b').complete('b').check()).toEqual([]);
  });

  test('a claim that is put back before its lease has ended', () => {
    script.create('a').claim('a');
    script.log('agent.disconnected', null, {
      session_id: 's1',
      lease_expires_at: new Date(60_000).toISOString(),
    });
    script
      .log('item.requeued', 'a', { status: 'todo', reason: 'lease_expired' })
      .claim('a', 's2', 2)
      .complete('a', 's2', 2);
    expect(script.rules()).toEqual(['early']);
  });
  test('a retry before it is due', () => {
    script.create('a').claim('a');
    script.log(
      'item.failed',
      'a',
      { status: 'failed', retry_at: new Date(60_000).toISOString() },
      { session: 's1', attempt: 1 },
    );
    script
      .log('item.requeued', 'a', { status: 'todo', reason: 'retry', retry_at: null })
      .claim('a', 's1', 2)
      .complete('a', 's1', 2);
    expect(script.rules()).toEqual(['early']);
  });

  test('a conflict that never ends', () => {
    script.create('a').create('b').claim('a').claim('b', 's2').conflict('conflict.detected', 'a', 'b');
    expect(script.complete('a').complete('b', 's2').rules()).toEqual(['conflict']);
  });
  test('a conflict that ends without having begun, or begins between claims that are over', () => {
    script.create('a').create('b').claim('a').complete('a').claim('b').complete('b');
    expect(script.conflict('conflict.resolved', 'a', 'b').rules()).toEqual(['conflict']);
    script.conflict('conflict.detected', 'a', 'b').conflict('conflict.resolved', 'a', 'b');
    expect(script.check().filter((violation) => violation.rule === 'conflict')).toHaveLength(2);
  });
  test('a conflict that nobody was told of', () => {
    script
      .create('a', { files_planned: ['f'] })
      .create('b')
      .claim('a')
      .claim('b', 's2', 1, { files_planned: ['f'] });
    expect(script.complete('a').complete('b', 's2').rules()).toEqual(['conflict']);
  });

  test.each([
    [{ priority: 1 }],
    [{ files_modified: ['f'] }],
    [{ dependencies: ['b'] }],
    [{ lost_count: 1 }],
    [{ metadata: { a: 1 } }],
    [{ result_summary: 'other' }],
  ] satisfies [Partial<Item>][])('a database that holds %j, which the log does not know of', (fields) => {
    script.create('a').claim('a').complete('a').spoil('a', fields);
    expect(script.rules()).toEqual(['fold']);
  });
  test('an item that only one of log and database knows', () => {
    script.create('a').claim('a').complete('a');
    script.items.clear();
    expect(script.rules()).toEqual(['fold']);
    const other = new Script().create('a').claim('a').complete('a');
    other.events.length = 0;
    expect(other.rules()).toEqual(['fold']);
  });

  test('work that is left: ready, claimed, about to be retried, or held back by nothing', () => {
    expect(script.create('a').rules()).toEqual(['stuck']);
    expect(script.claim('a').rules()).toEqual(['stuck']);
    const failed = { status: 'failed', retry_at: new Date(60_000).toISOString() };
    expect(script.log('item.failed', 'a', failed, { session: 's1', attempt: 1 }).rules()).toEqual(['stuck']);
    const other = new Script()
      .create('a')
      .claim('a')
      .complete('a')
      .create('b', { dependencies: ['a'], blocked_by: ['a'] });
    expect(other.rules()).toEqual(['stuck']);
  });
});
