import type { Plan } from '@switchyard/shared/import/plan';
import { Unreadable } from '@switchyard/shared/import/unreadable';
import ReadWorker from './read.worker.ts?worker';

/** Some twenty thousand issues: beyond it a browser would be busy for long. The command line has no such bound. */
export const bytesMax = 32 * 1024 * 1024;

/** What comes back from where a file is read. */
export type ReadAnswer = { plan: Plan; problem?: never } | { plan?: never; problem: string };

/** More than the board reads. */
export class TooLarge extends Error {}

/** The bytes of a file, or of what was pasted. Throws `TooLarge` or `Unreadable`. */
export async function bytesOf(source: File | string): Promise<Uint8Array> {
  const size = typeof source === 'string' ? source.length : source.size;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1024 / 1024)} MB`;
  if (size > bytesMax)
    throw new TooLarge(
      `This is ${megabytes(size)}, and the board reads up to ${megabytes(bytesMax)}. The command line takes any size:`,
    );
  if (typeof source === 'string') return new TextEncoder().encode(source);
  try {
    return new Uint8Array(await source.arrayBuffer());
  } catch {
    throw new Unreadable(
      `${source.name} could not be read. A folder holds no backlog: choose the file itself, and choose it again if it has changed.`,
    );
  }
}

/** What a file says is to be made. Throws `Unreadable`; when it is aborted, nothing more comes of it. */
export function readPlan(bytes: Uint8Array, signal: AbortSignal): Promise<Plan> {
  return new Promise((resolve, reject) => {
    const worker = new ReadWorker();
    const end = () => worker.terminate();
    signal.addEventListener('abort', end, { once: true });
    worker.onmessage = ({ data }: MessageEvent<ReadAnswer>) => {
      end();
      if (data.plan) resolve(data.plan);
      else reject(new Unreadable(data.problem));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end();
      reject(new Error(`The file could not be read: ${event.message}`));
    };
    worker.postMessage(bytes, [bytes.buffer]);
  });
}
