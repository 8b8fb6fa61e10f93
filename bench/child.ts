// A process of our own that does named tasks for us, asked and answered by Node's own channel between processes.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Tasks = Record<string, (input: never) => unknown>;
type Input<T extends Tasks, K extends keyof T> = Parameters<T[K]>[0];
type Output<T extends Tasks, K extends keyof T> = Awaited<ReturnType<T[K]>>;

interface Question {
  id: number;
  task: string;
  input: unknown;
}
type Reply = { id: number; result: unknown } | { id: number; error: string };

/** Our side: `await child.call('task', input)`. Rejects when the task does, or when the process ends. */
export class Child<T extends Tasks> {
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #asked = 0;

  constructor(file: string) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#process = spawn(process.execPath, [path], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.pid = this.#process.pid ?? 0;
    this.#process.on('message', (reply: Reply) => this.#hear(reply));
    this.#exited = new Promise((resolve) => {
      const end = () => {
        for (const { reject } of this.#waiting.values())
          reject(new Error(`${file} ended before it answered`));
        this.#waiting.clear();
        resolve();
      };
      this.#process.once('exit', end).once('error', end);
    });
  }

  call<K extends keyof T & string>(task: K, input: Input<T, K>): Promise<Output<T, K>> {
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) return reject(new Error('the process is gone'));
      const id = ++this.#asked;
      this.#waiting.set(id, { resolve, reject });
      this.#process.send({ id, task, input } satisfies Question);
    });
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL'); // it keeps nothing
    await this.#exited;
  }

  #hear(reply: Reply): void {
    const asked = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) asked?.reject(new Error(reply.error));
    else asked?.resolve(reply.result as never);
  }
}

/** The other side: answers each question by the task of that name, and ends with whoever asks. */
export function serveTasks(tasks: Tasks): void {
  process.on('message', ({ id, task, input }: Question) => {
    void Promise.resolve()
      .then(() => tasks[task]!(input as never))
      .then(
        (result) => process.send!({ id, result } satisfies Reply),
        (error: unknown) =>
          process.send!({ id, error: error instanceof Error ? error.message : String(error) }),
      );
  });
  process.once('disconnect', () => process.exit());
}
