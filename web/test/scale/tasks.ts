// What the page's main thread does, task by task, and what each costs it in processor time. On a machine that does other
// things too a task may last long because its thread had to wait: wall time alone does not tell whose fault it was.
import type { CDPSession } from 'playwright-core';

export interface Task {
  wallMs: number;
  /** Of its own thread. */
  cpuMs: number;
  /** What it was made of, the dearest first: `FireAnimationFrame 12.3`. */
  parts: string;
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** In µs, like the rest: begin and length by the clock, length by the thread's. */
  ts: number;
  dur?: number;
  tdur?: number;
  args: { name?: string };
}

const categories = ['toplevel', 'devtools.timeline', 'v8', '__metadata'];
const partsShown = 4;

/** Records the tasks of the busiest renderer while `run` goes on. */
export async function recordTasks(browser: CDPSession, run: () => Promise<void>): Promise<Task[]> {
  await browser.send('Tracing.start', {
    transferMode: 'ReturnAsStream',
    traceConfig: { includedCategories: categories, excludedCategories: ['*'], recordMode: 'recordUntilFull' },
  });
  await run();
  const complete = new Promise<{ stream?: string; dataLossOccurred: boolean }>((resolve) =>
    browser.once('Tracing.tracingComplete', resolve),
  );
  await browser.send('Tracing.end');
  const { stream, dataLossOccurred } = await complete;
  if (!stream || dataLossOccurred) throw new Error('The trace is not complete: record for a shorter time.');
  return tasksIn(JSON.parse(await readAll(browser, stream)) as { traceEvents: TraceEvent[] });
}

async function readAll(browser: CDPSession, handle: string): Promise<string> {
  const parts: string[] = [];
  for (;;) {
    const { data, eof, base64Encoded } = await browser.send('IO.read', { handle, size: 1_000_000 });
    parts.push(base64Encoded ? Buffer.from(data, 'base64').toString() : data);
    if (eof) break;
  }
  await browser.send('IO.close', { handle });
  return parts.join('');
}

function tasksIn({ traceEvents }: { traceEvents: TraceEvent[] }): Task[] {
  const threads = new Set<string>();
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  for (const event of traceEvents)
    if (event.ph === 'M' && event.name === 'thread_name' && event.args.name === 'CrRendererMain')
      threads.add(threadOf(event));
  const spans = Map.groupBy(
    traceEvents.filter((event) => event.ph === 'X' && threads.has(threadOf(event))),
    threadOf,
  );
  const [busiest] = [...spans.values()].sort((a, b) => cpuOf(b) - cpuOf(a));
  return groupTasks(busiest ?? []);
}

const isTask = ({ name }: TraceEvent) => name === 'ThreadControllerImpl::RunTask' || name === 'RunTask';
const cpuOf = (events: TraceEvent[]) =>
  events.reduce((sum, event) => sum + (isTask(event) ? (event.tdur ?? 0) : 0), 0);

/** The tasks of one thread, outermost only, each with its parts by what they cost without those within them. */
function groupTasks(events: TraceEvent[]): Task[] {
  events.sort((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0));
  const tasks: Task[] = [];
  const open: { end: number; name: string; within: number; cpu: number }[] = [];
  let parts = new Map<string, number>();
  const close = () => {
    const { name, within, cpu } = open.pop()!;
    parts.set(name, (parts.get(name) ?? 0) + cpu - within);
    const outer = open.at(-1);
    if (outer) outer.within += cpu;
  };
  const closeUntil = (ts: number) => {
    while (open.length > 0 && open.at(-1)!.end <= ts) close();
  };
  let task: { wall: number; cpu: number } | undefined;
  const finish = () => {
    closeUntil(Infinity);
    if (task) tasks.push({ wallMs: task.wall / 1_000, cpuMs: task.cpu / 1_000, parts: describeParts(parts) });
    parts = new Map();
    task = undefined;
  };
  for (const event of events) {
    closeUntil(event.ts);
    const { ts, dur = 0, tdur = 0, name } = event;
    if (open.length === 0) {
      finish();
      if (!isTask(event)) continue;
      task = { wall: dur, cpu: tdur };
    }
    open.push({ end: ts + dur, name: isTask(event) ? 'other' : name, within: 0, cpu: tdur });
  }
  finish();
  return tasks;
}

function describeParts(parts: Map<string, number>): string {
  return [...parts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, partsShown)
    .map(([name, us]) => `${name} ${(us / 1_000).toFixed(1)}`)
    .join(', ');
}
